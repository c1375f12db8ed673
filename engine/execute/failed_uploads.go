package execute

import (
	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/snapshot"
)

// failedUploads are new files that failed to arrive: their sizes, and their contents, with no hash where that is
// not known.
type failedUploads struct {
	sizes    map[int64]bool
	contents map[plan.Content]bool
}

func newFailedUploads() failedUploads {
	return failedUploads{make(map[int64]bool), make(map[plan.Content]bool)}
}

func (l *failedUploads) add(e *snapshot.Entry) {
	c, known := plan.ContentOf(e)
	if !known {
		c = plan.Content{Size: e.Size}
	}
	l.sizes[e.Size], l.contents[c] = true, true
}

// mayBe reports whether e, which the remote holds, may have the content of one of them. What is known to
// have another must go: a remote that is full gets room by nothing else.
func (l *failedUploads) mayBe(e *snapshot.Entry) bool {
	if e == nil || e.Size == 0 || !l.sizes[e.Size] {
		return false
	}
	c, known := plan.ContentOf(e)
	return !known || l.contents[c] || l.contents[plan.Content{Size: e.Size}]
}
