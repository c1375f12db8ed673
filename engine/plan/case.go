package plan

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Conflict is a path of the source that a remote which ignores case has no room for.
type Conflict struct {
	Change int32
	with   string // what has its place
	stays  bool   // a directory, which is retained
}

func (c Conflict) Err() error {
	if c.stays {
		return fmt.Errorf("%w: to this remote it is the same name as the directory %q, which was removed here and is retained there: "+
			"--complete-sync removes it there as well", remote.ErrInvalidName, c.with)
	}
	return fmt.Errorf("%w: to this remote it is the same name as %q: rename or exclude one of them",
		remote.ErrInvalidName, c.with)
}

// Conflicts returns the changes, in order, whose New is not planned because something else has its place on a remote that
// ignores case. What the base has there wins over what is new, whether it changed or not; of what is new the first wins. So
// it is the same one in every run. Directories that differ only in case are one on the remote, and share their place.
func Conflicts(in *Input) []Conflict {
	if !in.Caps.Folds() {
		return nil
	}
	c := contest{Input: in, shared: sharedFolds(in), taken: make(map[string]claimant)}
	for _, incumbents := range []bool{true, false} {
		c.lost = claimant{}
		for i := range in.size() {
			if ch := &in.Changes[i]; ch.New != nil && isIncumbent(ch) == incumbents {
				c.enter(i, !incumbents)
			}
		}
	}
	slices.SortFunc(c.out, func(a, b Conflict) int { return int(a.Change - b.Change) })
	return c.out
}

// isIncumbent reports whether the remote holds something at the path that is from the source.
func isIncumbent(c *snapshot.Change) bool {
	return c.Old != nil && !c.Old.Flags.Has(snapshot.Retained) && isDir(c.Old) == isDir(c.New)
}

// claimant is what has, or wants, a place.
type claimant struct {
	path string
	dir  bool
	with string // of a loser: the winner
}

type contest struct {
	*Input
	shared []uint64            // see sharedFolds
	taken  map[string]claimant // by folded path, as far as it is shared
	lost   claimant            // the last directory that lost: what is beneath loses with it
	out    []Conflict
}

func (c *contest) enter(i int32, ask bool) {
	ch := &c.Changes[i]
	me := claimant{path: ch.Path, dir: isDir(ch.New)}
	if c.lost.path != "" && snapshot.Beneath(me.path, c.lost.path) {
		c.out = append(c.out, Conflict{i, c.lost.with, false})
		return
	}
	if ask && c.CaseVariant != nil {
		if path, variant := c.CaseVariant(me.path); variant != nil && !(isDir(variant) && me.dir) && !IsRetainedFile(variant) {
			c.lose(i, me, path)
			c.out[len(c.out)-1].stays = isDir(variant) && variant.Flags.Has(snapshot.Retained)
			return
		}
	}
	key := c.Caps.Fold(me.path)
	if _, shared := slices.BinarySearch(c.shared, xxh3.HashString(key)); !shared {
		return
	}
	switch winner, ok := c.taken[key]; {
	case !ok:
		c.taken[key] = me
	case !(winner.dir && me.dir):
		c.lose(i, me, winner.path)
	}
}

func (c *contest) lose(i int32, me claimant, with string) {
	c.out = append(c.out, Conflict{i, with, false})
	if me.dir {
		me.with = with
		c.lost = me
	}
}

// sharedFolds returns the hashes, ascending, of the folded paths that several changes may have: only these paths have to
// be kept folded.
func sharedFolds(in *Input) []uint64 {
	var all []uint64
	for i := range in.Changes {
		if in.Changes[i].New != nil {
			all = append(all, xxh3.HashString(in.Caps.Fold(in.Changes[i].Path)))
		}
	}
	slices.Sort(all)
	shared := all[:0]
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			shared = append(shared, all[i])
		}
	}
	return shared
}

// IsRetainedFile reports whether e is a file that nobody wants any more. It makes room for what somebody wants.
func IsRetainedFile(e *snapshot.Entry) bool { return IsFile(e) && e.Flags.Has(snapshot.Retained) }

// refuse takes the losers out of the changes, which keep their indexes. What the remote held at the path of a loser goes,
// unless that is the loser itself.
func (in *Input) refuse(lost []Conflict) {
	if len(lost) == 0 {
		return
	}
	in.Changes = slices.Clone(in.Changes)
	for _, c := range lost {
		ch := &in.Changes[c.Change]
		if isIncumbent(ch) {
			ch.Old = nil
		}
		ch.New = nil
	}
}

// forgetCaseVariants makes the base forget retained files that something is sent over: else it says that the remote holds
// both. A crash before the send leaves a file that nobody misses.
func (in *Input) forgetCaseVariants(steps []journal.Step) (refreshes []journal.Refresh) {
	if !in.Caps.Folds() {
		return nil
	}
	for i := range steps {
		s := &steps[i]
		if s.Action == journal.Delete || s.Old != nil && s.Action == journal.Send {
			continue
		}
		if path, variant := in.CaseVariant(s.Path); IsRetainedFile(variant) {
			refreshes = append(refreshes, journal.Refresh{Path: path})
		}
	}
	return refreshes
}
