package guard

import (
	"time"

	"github.com/snapsync/snapsync/journal"
)

// Burst is what a process that stays has deleted lately; the zero value: nothing. A source that goes file by file, in portions
// that no plan would be held for, is a source that goes all the same: deletes with less than burstGap
// between them count together, and what is held keeps the burst alive until a person has looked.
type Burst struct {
	files   int64
	begun   time.Time // zero: none is under way
	last    time.Time
	holds   bool // some are held: until a person has looked it does not end
	excused bool // a person let the deletes of this plan through: they do not count against later ones
}

const burstGap = 10 * time.Minute

// deletes returns how many files went in the burst that is under way.
func (b *Burst) deletes(now time.Time) int64 {
	if !b.holds && now.Sub(b.last) > burstGap {
		b.files, b.begun = 0, time.Time{}
	}
	return b.files
}

// Counts reports whether the delete of a file is one of those that a burst is about: what came and went
// while it lasted was never there to be lost. An mtime of the future proves nothing.
func (b *Burst) Counts(step *journal.Step, now time.Time) bool {
	if !countable(step) || step.Dir {
		return false
	}
	if step.Old == nil || b.begun.IsZero() {
		return true
	}
	begun := now.Add(-now.Sub(b.begun)) // by the clock as it is now: it may have been set since
	return step.Old.Mtime < begun.UnixNano() || step.Old.Mtime > now.UnixNano()
}

// Add has the burst go on with so many files that were deleted.
func (b *Burst) Add(files int64, now time.Time) {
	if b.excused || files == 0 {
		return
	}
	if b.deletes(now) == 0 {
		b.begun = now
	}
	b.files += files
	b.last = now
}
