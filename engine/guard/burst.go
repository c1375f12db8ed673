package guard

import (
	"time"

	"github.com/snapsync/snapsync/journal"
)

// Burst is what was deleted lately; the zero value: nothing. A source that goes file by file, in portions
// that no plan would be held for, is a source that goes all the same: deletes with less than burstGap
// between them count together, and what is held keeps the burst alive until a person has looked.
type Burst struct {
	journal.Burst
	holds   bool // some are held: until a person has looked it does not end
	excused bool // a person let the deletes of this plan through: they do not count against later ones
	// fresh are the paths that were sent as new while it lasted: what came and went was never there to be lost. How young an
	// mtime is proves nothing of the kind, since an old file that was edited has a young one too.
	fresh map[string]bool
}

const (
	burstGap = 10 * time.Minute
	// maxFresh bounds the paths that are remembered. The deletes of others count.
	maxFresh = 100_000
)

// deletes returns how many files went in the burst that is under way.
func (b *Burst) deletes(now time.Time) int64 {
	since := now.Sub(b.Last)
	if over := since > burstGap && !b.holds; over || since < -burstGap { // the clock was set
		b.Burst, b.fresh = journal.Burst{}, nil
	}
	return b.Files
}

// Did takes in a step that was executed.
func (b *Burst) Did(step *journal.Step, now time.Time) {
	if b.excused {
		return
	}
	under := b.deletes(now) > 0
	switch {
	case step.Action == journal.Send && step.Old == nil && !step.Dir:
		if !under || len(b.fresh) >= maxFresh {
			return
		}
		if b.fresh == nil {
			b.fresh = make(map[string]bool)
		}
		b.fresh[step.Path] = true
	case !countable(step) || step.Dir:
	case b.fresh[step.Path]:
		delete(b.fresh, step.Path)
	default:
		b.Files++
		b.Last = now
	}
}
