package plan

import "github.com/snapsync/snapsync/snapshot"

// verdict is what an entry of the base needs to become the entry of the head that takes its place.
type verdict uint8

const (
	settled verdict = iota // nothing but, perhaps, a newer stat in the base
	retimed                // the content is the same, the mtime or other metadata is to be set
	edited                 // the content differs, or nothing proves that it does not
)

// compare judges two files. moved says that old was matched with new under another path; then the
// ctime, which a rename changes, proves nothing against them.
func (p *Input) compare(old, now *snapshot.Entry, moved bool) verdict {
	switch {
	case !p.Caps.SameContent(old, now, moved):
		return edited
	case p.otherMetadata(old, now, moved) && p.Caps.SetMetadata && p.Caps.SetModTime:
		return retimed
	case p.otherMetadata(old, now, moved) && old.Mode != now.Mode:
		return edited
	case old.Flags.Has(snapshot.Adopted) && old.Mtime == 0:
		return settled // the listing did not say, and to ask or to set it would cost a request for each file
	case p.Caps.SetModTime && !p.Caps.SameMtime(old, now):
		return retimed
	}
	return settled
}

// otherMetadata reports whether what is kept besides the content and the mtime may differ. Of owners and
// attributes only the ctime tells; a rename changes it as well. What was adopted is not known to differ.
func (p *Input) otherMetadata(old, now *snapshot.Entry, moved bool) bool {
	if !p.Metadata || !p.Caps.Metadata || old.Flags.Has(snapshot.Adopted) || now.Kind != snapshot.File {
		return false
	}
	return old.Mode != now.Mode || !moved && old.Ctime != now.Ctime
}

// IsFile reports whether e has content of its own: a file, or a symlink, which is one on the remote.
func IsFile(e *snapshot.Entry) bool { return e != nil && e.Kind != snapshot.Dir }

func isDir(e *snapshot.Entry) bool { return e != nil && e.Kind == snapshot.Dir }

// sameDir reports whether nothing says that a directory was replaced by another one. One that was
// only ever seen on the remote has no identity.
func sameDir(old, now *snapshot.Entry) bool {
	return isDir(old) && isDir(now) && (old.Ino == now.Ino || old.Ino == 0 || now.Ino == 0)
}
