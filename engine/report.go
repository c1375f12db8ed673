package engine

import (
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Summary is what a run did. The JSON names are the contract of `run --once --json`.
type Summary struct {
	event.Counts
	Failed  int64   `json:"failed"` // paths that are not true yet
	Held    int64   `json:"held"`   // files whose delete a guard stopped
	Seconds float64 `json:"seconds"`

	Scan     snapshot.Stats      `json:"-"`
	Unproven []snapshot.Unproven `json:"-"`
	Failures []Failure           `json:"-"` // the first MaxFailures of them
	Hold     *guard.Hold         `json:"-"` // nil: the guard holds nothing

	backedOff int64 // pending steps that failed lately and were not tried
}

// HeldByMounts says what of Held is kept for file systems that are not mounted any more, or are others;
// nil: nothing.
func (s *Summary) HeldByMounts() *guard.Hold { return guard.Unmounted(s.Unproven) }

// Failure is one path that could not be made true in this run. It is tried again in the next.
type Failure = execute.Failure

// MaxFailures bounds how many failures a Summary carries; Summary.Failed counts all.
const MaxFailures = execute.MaxFailures

// fail records one path that is not true.
func (s *Summary) fail(path string, err error) {
	s.Failed++
	if len(s.Failures) < MaxFailures {
		s.Failures = append(s.Failures, Failure{Path: path, Err: err})
	}
}

// Preview is what a run would do.
type Preview struct {
	Plan journal.Plan
	Head *snapshot.Head
	Hold *guard.Hold // nil: the guard holds nothing
	// Mounts says what is kept for file systems that are not mounted any more, or are others; nil: nothing.
	Mounts *guard.Hold
	Base   journal.Totals
	Saved  map[int]int64 // by index in Plan.Steps: bytes beneath a moved directory
}
