// Package guard decides whether the deletes of a plan may happen.
//
// A plan that deletes more than --max-delete allows has its deletes held, all of them, until a person has let exactly these
// through; everything else of it goes on. What is held stays held, whichever process looks next and whatever number would pass
// by then, until a person lets it through or the source has it again. Deletes that the planner holds, since they would lose what
// the remote retains, or what something skipped covers, wait for a person as well, and so do those of foreign files, which were
// never sent from here. The decision is made over the whole plan, before anything is touched, from nothing but its Input.
package guard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Input is what a decision is made from.
type Input struct {
	Steps     []journal.Step // the plan; its Held, where the planner has set it, say what only a person can let through
	Covered   []snapshot.Covered
	Base      journal.Totals // of the base
	MaxDelete MaxDelete
	Burst     Burst // deletes of earlier plans
	Now       time.Time

	// Pending are the steps that the journal has, before Steps take their place. They are gone through only if Steps delete.
	Pending iter.Seq2[*journal.Step, error]
	// HeldDigest is of the deletes that are held already, "" if none are; HeldBase is how many files the base had then.
	HeldDigest string
	HeldBase   int64

	// ApprovedDigest is of the deletes that a person let through; "": none.
	ApprovedDigest string
	// Approve lets through what is held already, if anything is, else whatever Steps delete; ApproveDigest is of what it has
	// let through in this run, "" if nothing yet: nothing else passes then.
	Approve       bool
	ApproveDigest string
}

// Verdict is what was decided.
type Verdict struct {
	Hold  *Hold // nil: every delete may happen
	Burst Burst // as it is from now on
	// ApproveDigest is Input.ApproveDigest from now on.
	ApproveDigest string
}

// Hold says why deletes are held.
type Hold struct {
	Deletes int64 // files that would be deleted
	Limit   int64 // how many would have passed; -1 where it is not the number that matters
	Base    int64 // files on the remote, of which Limit may be a percentage
	Why     string
	Digest  string // of exactly these deletes; what `approve` binds to; "" if another source is to be approved
}

// Check decides about the deletes of in.Steps. It sets Held of those that may not happen, in place, and clears it of those
// that a person let through.
func Check(in Input) (Verdict, error) {
	out := Verdict{Burst: in.Burst, ApproveDigest: in.ApproveDigest}
	out.Burst.excused = false
	in.holdForeign()
	hold, over, err := in.weigh(&out.Burst)
	if err != nil {
		return Verdict{}, err
	}
	out.Burst.holds = over
	if hold == nil {
		return out, nil
	}
	approved, byFlag, err := in.isApproved(hold, over)
	if err != nil {
		return Verdict{}, err
	}
	if byFlag {
		out.ApproveDigest = hold.Digest
	}
	for i := range in.Steps {
		if s := &in.Steps[i]; heldBy(s, over) {
			s.Held = !approved
		}
	}
	if approved {
		out.Burst = Burst{excused: true}
		return out, nil
	}
	out.Hold = hold
	return out, nil
}

// weigh returns what is to be held unless a person let it through, nil if nothing is; over: it is every delete, as they
// are too many.
func (in *Input) weigh(burst *Burst) (hold *Hold, over bool, err error) {
	count, marked := countDeletes(in.Steps)
	if count == 0 && marked == 0 {
		return nil, false, nil
	}
	files := in.Base.Files + in.Base.Retained
	if in.HeldBase > 0 {
		// What a held plan sends all the same enlarges the base: it must not let its own deletes through.
		files = min(files, in.HeldBase)
	}
	before := burst.deletes(in.Now)
	limit, limited := in.MaxDelete.limit(files + before)
	tooMany := limited && count+before > limit
	again := int64(0)
	if !tooMany && in.HeldDigest != "" {
		if again, err = in.heldBefore(); err != nil {
			return nil, false, err
		}
	}
	over = tooMany || again > 0
	if !over && marked == 0 {
		return nil, false, nil
	}
	hold = &Hold{Deletes: count, Limit: limit, Base: files, Digest: digestDeletes(in.Steps, over)}
	switch {
	case tooMany:
		hold.Why = fmt.Sprintf("the plan deletes %d of %d files, more than --max-delete %v allows", count, files, in.MaxDelete)
		if before > 0 {
			hold.Why += fmt.Sprintf(" after the %d that went a moment before", before)
		}
	case over:
		hold.Limit = -1
		hold.Why = fmt.Sprintf("the plan deletes %d of %d files, of which %d were held before and still wait for approval", count, files, again)
	default:
		hold.Deletes, hold.Limit = marked, -1
		hold.Why = in.whyMarked()
	}
	return hold, over, nil
}

// whyMarked says why steps are held that are marked, however few they are.
func (in *Input) whyMarked() string {
	retained, foreign, covered := 0, 0, make(map[string]bool)
	for i := range in.Steps {
		switch s := &in.Steps[i]; {
		case !s.Held:
		case s.Reason == journal.Replaced:
			retained++
		case isForeign(s):
			if !s.Dir {
				foreign++
			}
		default:
			for path := s.Path; path != ""; path, _ = snapshot.Split(path) {
				covered[path] = true
			}
		}
	}
	var whys []string
	if retained > 0 {
		whys = append(whys, fmt.Sprintf("the remote retains %d of its files where the source has something else", retained))
	}
	if foreign > 0 {
		whys = append(whys, fmt.Sprintf("the remote has %d of its files from somewhere else: they were never sent from here", foreign))
	}
	places := slices.DeleteFunc(slices.Clone(in.Covered), func(c snapshot.Covered) bool { return !covered[c.Path] })
	if len(places) > 0 {
		whys = append(whys, strconv.Quote(places[0].Path)+": "+places[0].Reason)
	}
	if len(places) > 1 {
		whys = append(whys, fmt.Sprintf("and so in %d more places", len(places)-1))
	}
	return strings.Join(whys, "; ")
}

// holdForeign marks the deletes of what was on the remote before us, and with them those of the directories above: the first
// look at a remote that is not the one that was meant must not empty it, unless a person said that everything may go.
func (in *Input) holdForeign() {
	if in.MaxDelete.everything() {
		return
	}
	files := false
	for i := range in.Steps {
		if s := &in.Steps[i]; countable(s) && !s.Dir && isForeign(s) {
			s.Held, files = true, true
		}
	}
	for i := range in.Steps {
		if s := &in.Steps[i]; files && countable(s) && s.Dir && isForeign(s) {
			s.Held = true
		}
	}
}

// isForeign reports whether s is about an entry that was there before us.
func isForeign(s *journal.Step) bool { return s.Old != nil && s.Old.Flags.Has(snapshot.Foreign) }

// heldBefore returns how many files the plan deletes that are held already: that time has passed, that the process is another
// one, or that a part of what was held is back, does not let them through.
func (in *Input) heldBefore() (again int64, err error) {
	held, err := in.pendingDeletes(true, func(s *journal.Step) string { return s.Path })
	if err != nil {
		return 0, err
	}
	for i := range in.Steps {
		if s := &in.Steps[i]; countable(s) && !s.Dir && !s.Held && held[s.Path] {
			again++
		}
	}
	return again, nil
}

// countDeletes returns how many files the plan deletes, and how many steps are marked as held whatever their number is.
// Our own leftovers do not count, nor do emptied directories, nor moves, also where they end in the
// delete of what was copied.
func countDeletes(steps []journal.Step) (files, marked int64) {
	for i := range steps {
		s := &steps[i]
		if s.Held && !(s.Dir && isForeign(s)) {
			marked++
		}
		if countable(s) && !s.Dir {
			files++
		}
	}
	return files, marked
}

// heldBy reports whether s is one of the steps that a hold stops: every delete of a plan that is over
// the limit, else the ones that are marked.
func heldBy(s *journal.Step, over bool) bool {
	return s.Held || over && countable(s)
}

// countable reports whether s takes something away that the source no longer has.
func countable(s *journal.Step) bool {
	return s.Action == journal.Delete && s.Reason != journal.Stale && s.Reason != journal.Renamed
}

// isApproved reports whether a person let exactly these deletes through: by `approve`, by --approve (byFlag), or in an
// earlier run that was interrupted before it had done them all. It adds to hold.Why why --approve did not.
func (in *Input) isApproved(hold *Hold, over bool) (approved, byFlag bool, err error) {
	if hold.Digest == in.ApprovedDigest {
		return true, false, nil
	}
	if in.Approve {
		if shown := cmp.Or(in.ApproveDigest, in.HeldDigest); shown == "" || shown == hold.Digest {
			return true, true, nil
		}
		hold.Why += "; --approve was given, but these are not the deletes that were held before"
	}
	passed, err := in.pendingDeletes(false, deleteKey)
	if err != nil || len(passed) == 0 {
		return false, false, err
	}
	for i := range in.Steps {
		if s := &in.Steps[i]; heldBy(s, over) && !passed[deleteKey(s)] {
			return false, false, nil
		}
	}
	return true, false, nil
}

// pendingDeletes are the keys of the pending deletes that are held, or of those that were let through already.
func (in *Input) pendingDeletes(held bool, key func(*journal.Step) string) (map[string]bool, error) {
	found := make(map[string]bool)
	for s, err := range in.Pending {
		if err != nil {
			return nil, err
		}
		if s.Action == journal.Delete && s.Held == held {
			found[key(s)] = true
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
