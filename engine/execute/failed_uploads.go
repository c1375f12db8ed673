package execute

import (
	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// failedUploads are new files that failed to arrive: by size, the hashes of their content. A zero one is not known.
type failedUploads map[int64]map[snapshot.Hash]bool

// add takes in s, which failed or is not tried, if it is the upload of a new file: what is deleted may be a copy of that.
func (l failedUploads) add(s *journal.Step) {
	if s.Action != journal.Send || s.Old != nil || s.How != journal.Upload {
		return
	}
	if l[s.New.Size] == nil {
		l[s.New.Size] = make(map[snapshot.Hash]bool)
	}
	content, _ := plan.ContentOf(s.New)
	l[s.New.Size][content.Hash] = true
}

// mayBe reports whether e, which the remote holds, may have the content of one of them. What is known to have another one
// must go: a full remote gets room by nothing else.
func (l failedUploads) mayBe(e *snapshot.Entry) bool {
	if e == nil || e.Size == 0 {
		return false
	}
	hashes := l[e.Size]
	content, known := plan.ContentOf(e)
	return len(hashes) > 0 && (!known || hashes[content.Hash] || hashes[snapshot.Hash{}])
}
