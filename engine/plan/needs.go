package plan

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Needs returns the indexes, ascending, of the changes whose New has to be hashed before Make can do its best. A file is
// only worth reading where its hash may save sending it:
//
//   - files of the same size as before, of which the stat does not say whether they changed;
//   - adopted files that are racy: what is learned about them now is all that the next scan will have;
//   - new content of the size of content that is leaving its path, which it may be under a new name, unless its stat
//     proves that it is: it came along with its directory;
//   - with server-side copy, new content of a size that the base holds anywhere.
//
// sizeKnown reports whether the base holds content of that size with a known hash.
func Needs(changes []snapshot.Change, caps remote.Caps, sizeKnown func(size int64) bool) []int {
	leaving := findLeaving(changes, &caps)
	var needs []int
	for i := range changes {
		c := &changes[i]
		switch {
		case !IsFile(c.New) || c.New.HashType != snapshot.NoHash || c.New.Size == 0:
		case undecided(&caps, c), leaving.explains(c), caps.Copy && !unchanged(&caps, c) && sizeKnown(c.New.Size):
			needs = append(needs, i)
		}
	}
	return needs
}

// undecided reports whether reading the file at this path can tell if it changed, and nothing else does: the base knows
// a hash, or nothing but the stat of an adopted file, and that cannot be trusted. The mtime of a listing is reason enough
// to believe that it did not.
func undecided(caps *remote.Caps, c *snapshot.Change) bool {
	old, now := c.Old, c.New
	if old == nil || old.Size != now.Size {
		return false
	}
	adopted := old.Flags.Has(snapshot.Adopted)
	if IsFile(old) && adopted && now.Flags.Has(snapshot.Racy) {
		return true
	}
	believed := adopted && remote.KnowsMtime(old) && caps.Precision > 0 && caps.SameMtime(old, now)
	return old.Kind == now.Kind && old.HashType != snapshot.NoHash && !believed
}

func unchanged(caps *remote.Caps, c *snapshot.Change) bool {
	return IsFile(c.Old) && IsFile(c.New) && caps.SameContent(c.Old, c.New, false)
}

// leaving is the content of the base that is, or may be, no longer at its path.
type leaving struct {
	sizes map[int64]struct{}
	files map[fileID]*snapshot.Change
}

func findLeaving(changes []snapshot.Change, caps *remote.Caps) leaving {
	var l leaving
	if !caps.Move && !caps.DirMove && !caps.Copy {
		return l
	}
	for i := range changes {
		c := &changes[i]
		if !IsFile(c.Old) || c.Old.Size == 0 || c.Old.HashType != snapshot.XXH3 || unchanged(caps, c) {
			continue
		}
		if l.sizes == nil {
			l.sizes, l.files = make(map[int64]struct{}), make(map[fileID]*snapshot.Change)
		}
		l.sizes[c.Old.Size] = struct{}{}
		if c.Old.Ino != 0 {
			l.files[idOf(c.Old)] = c
		}
	}
	return l
}

// explains reports whether reading c.New may show that it is content on the move. It needs no reading if its stat proves
// that, or if it is a second link of a file that is read at its own path: see recognise.
func (l *leaving) explains(c *snapshot.Change) bool {
	if _, match := l.sizes[c.New.Size]; !match {
		return false
	}
	was := l.files[idOf(c.New)]
	switch {
	case was == nil:
		return true
	case IsFile(was.New) && was != c && was.New.SameFile(c.New) && was.Old.Size == was.New.Size:
		return c.New.Flags.Has(snapshot.Racy)
	}
	return was.Old.Flags.Has(snapshot.Racy) || !was.Old.SameFile(c.New)
}
