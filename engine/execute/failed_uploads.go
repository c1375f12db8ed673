package execute

import (
	"time"

	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// failedUploads are new files that failed to arrive, by size: what is deleted may be a copy of one of them.
type failedUploads map[int64]*sameSize

// sameSize are failed uploads of one size: the path of one of them by each thing that tells what it may be.
type sameSize struct {
	contents map[snapshot.Hash]string // a zero hash is not known: that may be anything
	last     string                   // of contents: any
	unread   map[likeness]string      // of what the source does not let us read
}

// likeness is one thing that a file has in common with what it was copied from, or was itself; the others are zero.
type likeness struct {
	dev, ino uint64
	second   int64 // of the mtime, plus one: what keeps it may round it
	name     string
}

// likenesses returns what file e at path may have in common with another one.
func likenesses(path string, e *snapshot.Entry) []likeness {
	_, name := snapshot.Split(path)
	all := []likeness{{name: name}}
	if e.Mtime != 0 { // else nobody knows the mtime
		all = append(all, likeness{second: e.Mtime/int64(time.Second) + 1})
	}
	if e.Ino != 0 {
		all = append(all, likeness{dev: e.Dev, ino: e.Ino})
	}
	return all
}

// unreadable is the class of the failure of a file that the source does not let us read.
const unreadable = "source"

// add takes in s, which failed with an error of a class, or is not tried, if it is the upload of a new file. A file that
// cannot be read may stay so for ever: nothing is known of its content, and it must not hold every delete of its size. It
// holds what it is like: a copy that keeps the mtime, as mv to another file system does, the same inode, the same name.
func (l failedUploads) add(s *journal.Step, class string) {
	if s.Action != journal.Send || s.Old != nil || s.How != journal.Upload {
		return
	}
	all := l[s.New.Size]
	if all == nil {
		all = &sameSize{contents: make(map[snapshot.Hash]string), unread: make(map[likeness]string)}
		l[s.New.Size] = all
	}
	content, known := plan.ContentOf(s.New)
	if known || class != unreadable {
		all.contents[content.Hash], all.last = s.Path, s.Path
		return
	}
	for _, like := range likenesses(s.Path, s.New) {
		all.unread[like] = s.Path
	}
}

// mayBe returns the path of one of them that may have the content that s deletes; "" if none has. What is known to have
// another content must go: a full remote gets room by nothing else.
func (l failedUploads) mayBe(s *journal.Step) (path string) {
	e := s.Old
	if e == nil || e.Size == 0 || l[e.Size] == nil {
		return ""
	}
	all := l[e.Size]
	content, known := plan.ContentOf(e)
	for _, hash := range []snapshot.Hash{content.Hash, {}} {
		if path = all.contents[hash]; path != "" {
			return path
		}
	}
	if !known && all.last != "" {
		return all.last
	}
	for _, like := range likenesses(s.Path, e) {
		if path = all.unread[like]; path != "" {
			return path
		}
	}
	return ""
}
