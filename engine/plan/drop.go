package plan

import (
	"slices"
	"strings"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// dropper deletes what is left over.
type dropper struct {
	draft
	copied map[int32]bool // Olds whose file was copied to where it is now
}

// drop emits the trailing deletes: files first, then the directories that nothing is left in, the deepest first.
func drop(d draft, copied map[int32]bool) draft {
	p := dropper{d, copied}
	begin := len(p.steps)
	for i := range p.size() {
		if !IsFile(p.old(i)) || !p.leftOver(i) {
			continue
		}
		if why, goes := p.whyDelete(i); goes {
			p.delete(i, why, false)
		}
	}
	middle := len(p.steps)
	for _, i := range p.emptied() {
		p.delete(i, journal.Emptied, false)
	}
	if p.layout.moved > 0 { // then paths are no longer in the order of the changes
		slices.SortFunc(p.steps[begin:middle], byPath)
		slices.SortFunc(p.steps[middle:], func(a, b journal.Step) int { return byPath(b, a) })
	}
	return p.draft
}

func byPath(a, b journal.Step) int { return snapshot.ComparePaths(a.Path, b.Path) }

// whyDelete reports whether file i, which is left over, is to be deleted, and why.
func (p *dropper) whyDelete(i int32) (journal.Reason, bool) {
	_, name := snapshot.Split(p.path(i))
	switch {
	// An interrupted run left it. A temporary name that the base knows otherwise is that of a parked file, whose content
	// is the source's.
	case remote.IsTempName(name) && (strings.HasSuffix(name, remote.PartialSuffix) || p.old(i).Flags.Has(snapshot.Adopted)):
		return journal.Stale, true
	case p.now(i) != nil && p.layout.where(i) == p.path(i):
		return journal.Replaced, true // by a directory, on a remote that lets both be there
	case p.copied[i] && p.CompleteSync:
		return journal.Renamed, true
	}
	return journal.Deleted, p.CompleteSync
}

// emptied returns the directories that are left over and that nothing is left in, the deepest first. Where deleted files
// are retained a rename has emptied them, or they never held any; those that were on the remote before us stay.
func (p *dropper) emptied() (dirs []int32) {
	if p.Caps.BucketBased {
		return nil
	}
	holds := p.tree.holding(func(i int32) bool { return IsFile(p.old(i)) && p.leftOver(i) })
	for i := p.size() - 1; i >= 0; i-- {
		switch {
		case !isDir(p.old(i)) || !p.leftOver(i):
		case holds[i] || p.Kept(p.path(i)) || !p.CompleteSync && p.old(i).Flags.Has(snapshot.Adopted):
			p.tree.mark(holds, i)
		default:
			dirs = append(dirs, i)
		}
	}
	return dirs
}
