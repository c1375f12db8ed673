package engine

import (
	"time"

	"github.com/snapsync/snapsync/snapshot"
)

// verdict is what an entry of the base needs to become the entry of the head that takes its place.
type verdict uint8

const (
	settled verdict = iota // nothing but, perhaps, a newer stat in the base
	retimed                // the content is the same, the mtime or other metadata is to be set
	edited                 // the content differs, or nothing proves that it does not
)

// compare judges two files. moved says that old was matched with new under another path; then the
// ctime, which a rename changes, proves nothing against them.
func (p *PlanInput) compare(old, now *snapshot.Entry, moved bool) verdict {
	switch {
	case !p.Caps.sameContent(old, now, moved):
		return edited
	case p.otherMetadata(old, now, moved) && p.Caps.SetMetadata && p.Caps.SetModTime:
		return retimed
	case p.otherMetadata(old, now, moved) && old.Mode != now.Mode:
		return edited
	case old.Flags.Has(snapshot.Adopted) && old.Mtime == 0:
		return settled // the listing did not say, and to ask or to set it would cost a request for each file
	case p.Caps.SetModTime && !p.Caps.sameMtime(old, now):
		return retimed
	}
	return settled
}

// otherMetadata reports whether what is kept besides the content and the mtime may differ. Of owners and
// attributes only the ctime tells; a rename changes it as well. What was adopted is not known to differ.
func (p *PlanInput) otherMetadata(old, now *snapshot.Entry, moved bool) bool {
	if !p.Metadata || !p.Caps.Metadata || old.Flags.Has(snapshot.Adopted) || now.Kind != snapshot.File {
		return false
	}
	return old.Mode != now.Mode || !moved && old.Ctime != now.Ctime
}

// sameContent reports whether it is proved that two files have the same content: by a hash of both,
// else by their stat as far as it can be trusted.
func (c *Caps) sameContent(old, now *snapshot.Entry, moved bool) bool {
	switch {
	case old.Kind != now.Kind || old.Size != now.Size:
		return false
	case old.Size == 0:
		return true
	case old.HashType != snapshot.NoHash && old.HashType == now.HashType:
		return old.Hash == now.Hash
	case old.Flags.Has(snapshot.Adopted):
		return c.sameAdopted(old, now)
	case old.Flags.Has(snapshot.Racy):
		return false
	case moved:
		return old.SameFile(now)
	}
	return old.SameStat(now)
}

// sameAdopted compares with what a listing of the remote said. A remote that keeps no mtime tells
// when it was written instead: the content can only be the same if the file is older than that.
// Hashes of two kinds mean that the engine compared them when it read the file, and they differed.
func (c *Caps) sameAdopted(old, now *snapshot.Entry) bool {
	switch {
	case old.HashType != snapshot.NoHash && now.HashType != snapshot.NoHash:
		return false
	case c.Precision > 0:
		return c.sameMtime(old, now)
	}
	return old.HashType == snapshot.NoHash && old.Mtime >= truncate(now.Mtime, time.Second)
}

// sameMtime reports whether the remote cannot tell the two mtimes apart.
func (c *Caps) sameMtime(old, now *snapshot.Entry) bool {
	return c.Precision <= 0 || truncate(old.Mtime, c.Precision) == truncate(now.Mtime, c.Precision)
}

// truncate rounds nanoseconds down, also before 1970.
func truncate(ns int64, to time.Duration) int64 {
	rest := ns % int64(to)
	if rest < 0 {
		rest += int64(to)
	}
	return ns - rest
}

// isFile reports whether e has content of its own: a file, or a symlink, which is one on the remote.
func isFile(e *snapshot.Entry) bool { return e != nil && e.Kind != snapshot.Dir }

func isDir(e *snapshot.Entry) bool { return e != nil && e.Kind == snapshot.Dir }

// sameDir reports whether nothing says that a directory was replaced by another one. One that was
// only ever seen on the remote has no identity.
func sameDir(old, now *snapshot.Entry) bool {
	return isDir(old) && isDir(now) && (old.Ino == now.Ino || old.Ino == 0 || now.Ino == 0)
}
