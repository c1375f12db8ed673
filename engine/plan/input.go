package plan

import (
	"slices"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Input is everything that a plan depends on.
type Input struct {
	// Changes are those of snapshot.Head, in the same order, with New.Hash filled in where Needs
	// asked for it.
	Changes []snapshot.Change
	Caps    remote.Caps

	CompleteSync bool // mirror deletes; otherwise what is gone is retained
	EmptyDirs    bool // directories without files are wanted on the remote
	Metadata     bool // changed modes, owners and attributes count

	// Known are paths that hold content which new files may have, among those that are not in
	// Changes. What is retained counts.
	Known map[Content]string
	// Kept reports whether the base holds anything beneath dir that is not in Changes: unchanged,
	// retained, excluded or unproven. Such a directory is never empty. nil: no.
	Kept func(dir string) bool
	// Covered reports whether something that the source skips is at path or above it. Where it is not known to have moved, a
	// person has to agree to its delete. nil: no.
	Covered func(path string) bool
	// Outside returns what the base holds at path, if path is not in Changes. nil: nothing.
	Outside func(path string) *snapshot.Entry
	// CaseVariant returns what the base holds, and is not in Changes, under a path that differs from this one
	// only in case; "" if nothing. Of several, a retained file is the last. nil: nothing.
	CaseVariant func(path string) (variant string, e *snapshot.Entry)
	// Survived reports whether the New of one change certainly is the file that the Old of another
	// one was, edited and under another name. It is asked only about pairs with the same inode, whose
	// number alone proves nothing: a freed one is given to the next new file at once. nil: no.
	Survived func(old, now int) bool
}

// Content identifies what a file holds.
type Content struct {
	Size int64
	Hash snapshot.Hash // XXH3
}

// ContentOf returns what e holds, if a copy of it is worth anything.
func ContentOf(e *snapshot.Entry) (Content, bool) {
	if !IsFile(e) || e.HashType != snapshot.XXH3 || e.Size == 0 || e.Kind != snapshot.File {
		return Content{}, false
	}
	return Content{e.Size, e.Hash}, true
}

// none is the absence of an index.
const none int32 = -1

// size is how many changes there are. An Old and a New are named by the index of their change.
func (in *Input) size() int32 { return int32(len(in.Changes)) }

func (in *Input) path(i int32) string         { return in.Changes[i].Path }
func (in *Input) old(i int32) *snapshot.Entry { return in.Changes[i].Old }
func (in *Input) now(i int32) *snapshot.Entry { return in.Changes[i].New }

// indexes returns one index per change, all none.
func (in *Input) indexes() []int32 { return slices.Repeat([]int32{none}, len(in.Changes)) }

// Changed reports whether path is in changes, which are sorted.
func Changed(changes []snapshot.Change, path string) bool { return Find(changes, path) != nil }

// Find returns the change of path in changes, which are sorted; nil if there is none.
func Find(changes []snapshot.Change, path string) *snapshot.Change {
	i := find(changes, path)
	if i == none {
		return nil
	}
	return &changes[i]
}

// find returns the index of the change of path in changes, which are sorted; or none.
func find(changes []snapshot.Change, path string) int32 {
	i, found := slices.BinarySearchFunc(changes, path, func(c snapshot.Change, p string) int {
		return snapshot.ComparePaths(c.Path, p)
	})
	if !found {
		return none
	}
	return int32(i)
}

// IsFile reports whether e has content of its own: a file, or a symlink, which is one on the remote.
func IsFile(e *snapshot.Entry) bool { return e != nil && e.Kind != snapshot.Dir }

func isDir(e *snapshot.Entry) bool { return e != nil && e.Kind == snapshot.Dir }

// fileID is what a file keeps when it is renamed.
type fileID struct{ dev, ino uint64 }

func idOf(e *snapshot.Entry) fileID { return fileID{e.Dev, e.Ino} }

// verdict is what an entry of the base needs to become the entry of the head that takes its place.
type verdict uint8

const (
	settled verdict = iota // nothing but, perhaps, a newer stat in the base
	retimed                // the content is the same, the mtime or other metadata is to be set
	edited                 // the content differs, or nothing proves that it does not
)

// compare judges what two files with the same content have besides. moved says that old was matched with now under another
// path, not carried there: a rename changes the ctime, which then proves nothing.
func (in *Input) compare(old, now *snapshot.Entry, moved bool) verdict {
	switch {
	case in.otherMetadata(old, now, moved) && in.Caps.SetMetadata && in.Caps.SetModTime:
		return retimed
	case in.otherMetadata(old, now, moved) && old.Mode != now.Mode:
		return edited
	case !remote.KnowsMtime(old):
		return settled // to ask or to set it would cost a request for each file
	case in.Caps.SetModTime && !in.Caps.SameMtime(old, now):
		return retimed
	}
	return settled
}

// otherMetadata reports whether what is kept besides the content and the mtime may differ. Of owners and attributes only
// the ctime tells, if the file was not moved. Adopted entries are not known to differ.
func (in *Input) otherMetadata(old, now *snapshot.Entry, moved bool) bool {
	if !in.Metadata || !in.Caps.Metadata || old.Flags.Has(snapshot.Adopted) || now.Kind != snapshot.File {
		return false
	}
	return old.Mode != now.Mode || !moved && old.Ctime != now.Ctime
}

// merged is what the base will know of content that was there as old and is seen as now: the new stat, and the hash that
// either of them has.
func merged(old, now *snapshot.Entry) *snapshot.Entry {
	if now.HashType != snapshot.NoHash || old.HashType == snapshot.NoHash || isDir(now) {
		return now
	}
	e := *now
	e.HashType, e.Hash = old.HashType, old.Hash
	return &e
}
