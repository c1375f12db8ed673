package plan

import (
	"slices"
	"strings"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// drop emits the trailing deletes: files first, then the directories that nothing is left in, the
// deepest first. Where directories moved, paths are no longer in the order of the changes.
func (p *planner) drop() {
	begin := len(p.out.Steps)
	for k := range p.Changes {
		i := int32(k)
		if !IsFile(p.old(i)) || p.dest[i] != none || p.drops[i] != present {
			continue
		}
		if why, goes := p.whyDelete(i); goes {
			p.delete(i, why, false)
		}
	}
	middle := len(p.out.Steps)
	for _, i := range p.emptied() {
		p.delete(i, journal.Emptied, false)
	}
	if p.tree.moved > 0 {
		slices.SortFunc(p.out.Steps[begin:middle], byPath)
		slices.SortFunc(p.out.Steps[middle:], func(a, b journal.Step) int { return byPath(b, a) })
	}
}

func byPath(a, b journal.Step) int { return snapshot.ComparePaths(a.Path, b.Path) }

// whyDelete reports whether file i, which nothing came of, is to be deleted at the end, and why.
func (p *planner) whyDelete(i int32) (journal.Reason, bool) {
	_, name := snapshot.Split(p.path(i))
	switch {
	case isLeftover(name, p.old(i)):
		return journal.Stale, true
	case p.now(i) != nil && p.tree.where(i) == p.path(i):
		return journal.Replaced, true // by a directory, on a remote that lets both be there
	case p.copied[i] && p.CompleteSync:
		return journal.Renamed, true
	}
	return journal.Deleted, p.CompleteSync
}

// isLeftover reports whether a file of ours was left by an interrupted run and holds nothing that
// anyone wants. What the base knows under the name of a parked file is content of the source.
func isLeftover(name string, old *snapshot.Entry) bool {
	return remote.IsTempName(name) && (strings.HasSuffix(name, remote.PartialSuffix) || old.Flags.Has(snapshot.Adopted))
}

// emptied returns the directories that the remote is to lose: nothing came of them, and nothing is
// left in them, the deepest first. Where deleted files are retained that is what a rename left behind,
// or a directory that never held any; but not one that was on the remote before we were.
func (p *planner) emptied() []int32 {
	if p.Caps.BucketBased {
		return nil
	}
	holds := p.holding()
	var dirs []int32
	for k := len(p.Changes) - 1; k >= 0; k-- {
		switch i := int32(k); {
		case !p.goneDir(i):
		case holds[i] || p.Kept(p.path(i)) || !p.CompleteSync && p.old(i).Flags.Has(snapshot.Adopted):
			p.mark(holds, i)
		default:
			dirs = append(dirs, i)
		}
	}
	return dirs
}

// goneDir reports whether i is a directory of the base that nothing came of and that is still there.
func (p *planner) goneDir(i int32) bool {
	return isDir(p.old(i)) && p.dest[i] == none && p.drops[i] == present
}

// holding marks the directories beneath which a file is retained.
func (p *planner) holding() []bool {
	holds := make([]bool, len(p.Changes))
	for k := range p.Changes {
		if i := int32(k); IsFile(p.old(i)) && p.dest[i] == none && p.drops[i] == present {
			p.mark(holds, i)
		}
	}
	return holds
}

func (p *planner) mark(marks []bool, i int32) {
	for up := p.tree.oldUp[i]; up != none && !marks[up]; up = p.tree.oldUp[up] {
		marks[up] = true
	}
}

// learn emits what the base may know without any step. It leaves out every path at or beneath one
// that a step of this plan turns into something else: what the base says there has to stay true until
// that step is acknowledged, or a crash in between would forget what the remote holds. The next cycle
// learns the rest.
func (p *planner) learn() {
	inUse := p.filesInUse()
	var forgotten []journal.Refresh
	root, frozen := "", false
	for k := range p.Changes {
		i, c := int32(k), &p.Changes[k]
		if frozen && (c.Path == root || snapshot.Beneath(c.Path, root)) {
			continue
		}
		if p.turns(i) {
			root, frozen = c.Path, true
			continue
		}
		switch e, ok := p.learned(i, inUse); {
		case ok && e == nil:
			forgotten = append(forgotten, journal.Refresh{Path: c.Path})
		case ok:
			p.out.Refresh = append(p.out.Refresh, journal.Refresh{Path: c.Path, Entry: e})
		}
	}
	slices.Reverse(forgotten) // a directory can be forgotten once it has nothing beneath it
	p.out.Refresh = append(p.out.Refresh, forgotten...)
}

// turns reports whether directories come, go or turn into files at i.
func (p *planner) turns(i int32) bool {
	if p.old(i) != nil && p.now(i) != nil && isDir(p.old(i)) != isDir(p.now(i)) {
		return true
	}
	moves := p.anyOld && (isDir(p.old(i)) && p.dest[i] != none && p.dest[i] != i ||
		isDir(p.now(i)) && p.source[i] != none && p.source[i] != i)
	return moves
}

// learned returns what the base is to hold at i, and false if that is no news or takes a step.
func (p *planner) learned(i int32, inUse []bool) (*snapshot.Entry, bool) {
	old, now := p.old(i), p.now(i)
	switch {
	case old == nil:
		// Where the remote is to have it too, it is known when the remote has it.
		return now, isDir(now) && !(p.EmptyDirs && p.Caps.EmptyDirs)
	case now == nil && IsFile(old):
		if p.dest[i] != none || p.drops[i] != present {
			return nil, false
		}
		return retain(old)
	case now == nil:
		return p.learnGoneDir(i, inUse != nil && inUse[i])
	case isDir(now):
		return now, p.source[i] == i && *old != *now
	case p.source[i] != i || p.weigh(i, i) != settled:
		return nil, false
	}
	e := merged(old, now)
	return e, *e != *old
}

// learnGoneDir is about a directory that the source no longer has.
func (p *planner) learnGoneDir(i int32, files bool) (*snapshot.Entry, bool) {
	switch old := p.old(i); {
	case !p.goneDir(i):
		return nil, false
	case !p.Caps.BucketBased, files && !p.CompleteSync, p.Kept(p.path(i)):
		return retain(old)
	default:
		return nil, !files // until its files are gone from the base, their directory has to be known
	}
}

// retain returns old as retained, and false if it is already.
func retain(old *snapshot.Entry) (*snapshot.Entry, bool) {
	if old.Flags.Has(snapshot.Retained) {
		return nil, false
	}
	e := *old
	e.Flags |= snapshot.Retained
	return &e, true
}

// filesInUse marks the directories of the base that hold files now. Only remotes without directories
// need it.
func (p *planner) filesInUse() []bool {
	if !p.anyOld || !p.Caps.BucketBased {
		return nil
	}
	marks := make([]bool, len(p.Changes))
	for k := range p.Changes {
		if IsFile(p.Changes[k].Old) {
			p.mark(marks, int32(k))
		}
	}
	return marks
}
