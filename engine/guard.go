package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
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
// Deletes that the planner itself holds (they would lose what was retained, or what something skipped covers) are held
// here as well.
func (r *run) guard(steps []journal.Step, seen *snapshot.Head) (*Hold, error) {
	r.burst.excused = false
	count, planned := countDeletes(steps)
	if count == 0 && planned == 0 {
		r.burst.holds = false
		return nil, nil
	}
	totals, err := r.cfg.Journal.Totals()
	if err != nil {
		return nil, err
	}
	files := totals.Files + totals.Retained
	if r.state.HeldBase > 0 {
		// What a held plan sends all the same enlarges the base: it must not let its own deletes through.
		files = min(files, r.state.HeldBase)
	}
	before := r.burst.deletes(r.cfg.Now())
	limit, limited := r.cfg.MaxDelete.limit(files + before)
	over := limited && count+before > limit
	if !over && r.cfg.Staying && r.state.HeldDigest != "" {
		if over, err = heldBefore(r.cfg.Journal, steps); err != nil {
			return nil, err
		}
	}
	if !over && planned == 0 {
		r.burst.holds = false
		return nil, nil
	}
	hold := &Hold{Deletes: count, Limit: limit, Base: files, Digest: digestDeletes(steps, over)}
	if over {
		hold.Why = fmt.Sprintf("the plan deletes %d of %d files, more than --max-delete %v allows", count, files, r.cfg.MaxDelete)
		if before > 0 {
			hold.Why += fmt.Sprintf(" after the %d that went a moment before", before)
		}
	} else {
		hold.Deletes, hold.Limit = planned, -1
		hold.Why = whyPlanned(steps, seen)
	}
	approved, err := r.isApproved(hold, steps, over)
	if err != nil {
		return nil, err
	}
	for i := range steps {
		if s := &steps[i]; heldBy(s, over) {
			s.Held = !approved
		}
	}
	if approved {
		r.burst = deleteBurst{excused: true}
		return nil, nil
	}
	r.burst.holds = over
	return hold, nil
}

// whyPlanned says why the planner holds deletes.
func whyPlanned(steps []journal.Step, seen *snapshot.Head) string {
	retained, covered := 0, pathset.New(&remote.Caps{})
	for i := range steps {
		switch s := &steps[i]; {
		case !s.Held:
		case s.Reason == journal.Replaced:
			retained++
		default:
			covered.Count(s.Path, 1)
		}
	}
	var whys []string
	if retained > 0 {
		whys = append(whys, fmt.Sprintf("the remote retains %d of its files where the source has something else", retained))
	}
	places := 0
	for _, c := range seen.Covered {
		if !covered.Overlaps(c.Path) {
			continue
		}
		if places++; places == 1 {
			whys = append(whys, strconv.Quote(c.Path)+": "+c.Reason)
		}
	}
	if places > 1 {
		whys[len(whys)-1] += fmt.Sprintf(", and %d more places", places-1)
	}
	return strings.Join(whys, "; ")
}

// heldBefore reports whether steps delete all that a guard holds already, and maybe more: that time has
// passed, or that the process is another one, does not let it through.
func heldBefore(j *journal.Journal, steps []journal.Step) (bool, error) {
	held, err := pendingDeletes(j, true)
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
func (r *run) isApproved(hold *Hold, steps []journal.Step, over bool) (bool, error) {
	if hold.Digest == r.decided.ApprovedDigest {
		return true, nil
	}
	if r.cfg.Approve {
		shown := cmp.Or(r.approved, r.state.HeldDigest)
		if shown == "" || shown == hold.Digest {
			r.approved = hold.Digest // and nothing else, in later rounds of this run
			return true, nil
		}
		hold.Why += "; --approve was given, but these are not the deletes that were held before"
	}
	passed, err := pendingDeletes(r.cfg.Journal, false)
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
func pendingDeletes(j *journal.Journal, held bool) (map[string]bool, error) {
	found := make(map[string]bool)
	for s, err := range j.EachPending(0) {
		if err != nil {
			return nil, err
		}
		if s.Action == journal.Delete && s.Held == held {
			found[deleteKey(s)] = true
		}
	}
	return found, nil
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
