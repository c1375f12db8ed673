package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/snapsync/snapsync/journal"
)

// MaxDelete is the limit of --max-delete: a number of files, or a percentage of the files in the
// base. The zero value is 50 %, for a base of at least 10 files: in a smaller one, half is nothing
// unusual.
type MaxDelete struct {
	n       int64
	percent bool
	set     bool
}

const (
	defaultMaxDeletePercent = 50
	defaultMaxDeleteFloor   = 10
)

// ParseMaxDelete parses "100" or "20%".
func ParseMaxDelete(s string) (MaxDelete, error) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || percent && n > 100 {
		return MaxDelete{}, fmt.Errorf("max-delete %q: want a number of files such as 100, or a percentage such as 20%%", s)
	}
	return MaxDelete{n: n, percent: percent, set: true}, nil
}

func (m MaxDelete) String() string {
	switch {
	case !m.set:
		return strconv.Itoa(defaultMaxDeletePercent) + "%"
	case m.percent:
		return strconv.FormatInt(m.n, 10) + "%"
	}
	return strconv.FormatInt(m.n, 10)
}

// limit returns how many files may be deleted from a base of so many, and false for no limit.
func (m MaxDelete) limit(files int64) (int64, bool) {
	switch {
	case !m.set && files < defaultMaxDeleteFloor:
		return 0, false
	case !m.set:
		return files * defaultMaxDeletePercent / 100, true
	case m.percent:
		return files * m.n / 100, true
	}
	return m.n, true
}

// guard decides, over the whole plan and before anything is touched, whether its deletes may happen.
// It marks the ones that may not as Held, in place, and says why; everything else goes on.
// Deletes that the planner itself holds (they would lose what was retained) are held here as well.
func (e *Engine) guard(steps []journal.Step, state *journal.State) (*Hold, error) {
	e.burst.excused = false
	count, planned := countDeletes(steps)
	if count == 0 && planned == 0 {
		e.burst.holds = false
		return nil, nil
	}
	totals, err := e.cfg.Journal.Totals()
	if err != nil {
		return nil, err
	}
	files := totals.Files + totals.Retained
	if state.HeldBase > 0 {
		// What a held plan sends all the same enlarges the base: it must not let its own deletes through.
		files = min(files, state.HeldBase)
	}
	before := e.burst.deletes(e.cfg.Now())
	limit, limited := e.cfg.MaxDelete.limit(files + before)
	over := limited && count+before > limit
	if !over && e.cfg.Staying && state.HeldDigest != "" {
		if over, err = e.heldBefore(steps); err != nil {
			return nil, err
		}
	}
	if !over && planned == 0 {
		e.burst.holds = false
		return nil, nil
	}
	hold := &Hold{Deletes: count, Limit: limit, Base: files, Digest: digestDeletes(steps, over)}
	if over {
		hold.Why = fmt.Sprintf("the plan deletes %d of %d files, more than --max-delete %v allows", count, files, e.cfg.MaxDelete)
		if before > 0 {
			hold.Why += fmt.Sprintf(" after the %d that went a moment before", before)
		}
	} else {
		hold.Deletes, hold.Limit = planned, -1
		hold.Why = fmt.Sprintf("the remote retains %d of its files where the source has something else", planned)
	}
	approved, err := e.isApproved(hold, steps, over, state)
	if err != nil {
		return nil, err
	}
	for i := range steps {
		if s := &steps[i]; heldBy(s, over) {
			s.Held = !approved
		}
	}
	if approved {
		e.burst = deleteBurst{excused: true}
		return nil, nil
	}
	e.burst.holds = over
	return hold, nil
}

// deleteBurst is what a process that stays has deleted lately. A source that goes file by file, in portions
// that no plan would be held for, is a source that goes all the same: deletes with less than burstGap
// between them count together, and what is held keeps the burst alive until a person has looked.
type deleteBurst struct {
	files   int64
	begun   time.Time // zero: none is under way
	last    time.Time
	holds   bool // some are held: until a person has looked it does not end
	excused bool // a person let the deletes of this plan through: they do not count against later ones
}

const burstGap = 10 * time.Minute

// deletes returns how many files went in the burst that is under way.
func (s *deleteBurst) deletes(now time.Time) int64 {
	if !s.holds && now.Sub(s.last) > burstGap {
		s.files, s.begun = 0, time.Time{}
	}
	return s.files
}

// counts reports whether the delete of a file is one of those that a burst is about: what came and went
// while it lasted was never there to be lost. An mtime of the future proves nothing.
func (s *deleteBurst) counts(step *journal.Step, now time.Time) bool {
	if !countable(step) || step.Dir {
		return false
	}
	if step.Old == nil || s.begun.IsZero() {
		return true
	}
	begun := now.Add(-now.Sub(s.begun)) // by the clock as it is now: it may have been set since
	return step.Old.Mtime < begun.UnixNano() || step.Old.Mtime > now.UnixNano()
}

func (s *deleteBurst) add(files int64, now time.Time) {
	if s.excused || files == 0 {
		return
	}
	if s.deletes(now) == 0 {
		s.begun = now
	}
	s.files += files
	s.last = now
}

// heldBefore reports whether steps delete all that a guard holds already, and maybe more: that time has
// passed, or that the process is another one, does not let it through.
func (e *Engine) heldBefore(steps []journal.Step) (bool, error) {
	held, err := e.pendingDeletes(true)
	if err != nil {
		return false, err
	}
	again := false // by more than the planner
	for i := range steps {
		if s := &steps[i]; countable(s) && held[deleteKey(s)] {
			again = again || !s.Held
			delete(held, deleteKey(s))
		}
	}
	return again && len(held) == 0, nil
}

// countDeletes returns how many files the plan deletes, and how many steps the planner holds.
// Our own leftovers do not count, nor do emptied directories, nor moves, also where they end in the
// delete of what was copied.
func countDeletes(steps []journal.Step) (files, planned int64) {
	for i := range steps {
		s := &steps[i]
		if s.Held {
			planned++
		}
		if countable(s) && !s.Dir {
			files++
		}
	}
	return files, planned
}

// heldBy reports whether s is one of the steps that a hold stops: every delete of a plan that is over
// the limit, else the ones that the planner marked.
func heldBy(s *journal.Step, over bool) bool {
	return s.Held || over && countable(s)
}

// countable reports whether s takes something away that the source no longer has.
func countable(s *journal.Step) bool {
	return s.Action == journal.Delete && s.Reason != journal.Stale && s.Reason != journal.Renamed
}

// isApproved reports whether a person let exactly these deletes through: by `approve`, by --approve, or
// in an earlier run that was interrupted before it had done them all.
func (e *Engine) isApproved(hold *Hold, steps []journal.Step, over bool, state *journal.State) (bool, error) {
	if hold.Digest == state.ApprovedDigest {
		return true, nil
	}
	if e.cfg.Approve {
		shown := cmp.Or(e.approved, state.HeldDigest)
		if shown == "" || shown == hold.Digest {
			e.approved = hold.Digest // and nothing else, in later rounds of this run
			return true, nil
		}
		hold.Why += "; --approve was given, but these are not the deletes that were held before"
	}
	passed, err := e.pendingDeletes(false)
	if err != nil || len(passed) == 0 {
		return false, err
	}
	for i := range steps {
		if s := &steps[i]; heldBy(s, over) && !passed[deleteKey(s)] {
			return false, nil
		}
	}
	return true, nil
}

// pendingDeletes are the pending deletes that a guard holds, or those that it has let through already.
func (e *Engine) pendingDeletes(held bool) (map[string]bool, error) {
	found := make(map[string]bool)
	for after := int64(0); ; {
		page, err := e.cfg.Journal.Pending(after, pageSteps)
		if err != nil || len(page) == 0 {
			return found, err
		}
		for i := range page {
			if s := &page[i]; s.Action == journal.Delete && s.Held == held {
				found[deleteKey(s)] = true
			}
		}
		after = page[len(page)-1].Seq
	}
}

// deleteKey identifies what a delete would remove: the path and what the base holds there.
func deleteKey(s *journal.Step) string {
	key := s.Path + "\x00" + strconv.FormatBool(s.Dir)
	if s.Old != nil && !s.Dir {
		key += fmt.Sprintf("\x00%d\x00%d\x00%v", s.Old.Size, s.Old.Mtime, s.Old.Hash)
	}
	return key
}

// digestDeletes identifies a set of held deletes.
func digestDeletes(steps []journal.Step, over bool) string {
	h := sha256.New()
	for i := range steps {
		if s := &steps[i]; heldBy(s, over) {
			fmt.Fprintf(h, "%s\x00\n", deleteKey(s))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
