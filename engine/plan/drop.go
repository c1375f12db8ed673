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

// drop emits the trailing deletes: files first, then the directories that nothing is left in, the
// deepest first. Where directories moved, paths are no longer in the order of the changes.
func drop(d draft, copied map[int32]bool) draft {
	p := dropper{d, copied}
	begin := len(p.steps)
	for k := range p.Changes {
		i := int32(k)
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
	if p.layout.moved > 0 {
		slices.SortFunc(p.steps[begin:middle], byPath)
		slices.SortFunc(p.steps[middle:], func(a, b journal.Step) int { return byPath(b, a) })
	}
	return p.draft
}

func byPath(a, b journal.Step) int { return snapshot.ComparePaths(a.Path, b.Path) }

// whyDelete reports whether file i, which nothing came of, is to be deleted at the end, and why.
func (p *dropper) whyDelete(i int32) (journal.Reason, bool) {
	_, name := snapshot.Split(p.path(i))
	switch {
	case isLeftover(name, p.old(i)):
		return journal.Stale, true
	case p.now(i) != nil && p.layout.where(i) == p.path(i):
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
func (p *dropper) emptied() []int32 {
	if p.Caps.BucketBased {
		return nil
	}
	holds := p.tree.holding(func(i int32) bool { return IsFile(p.old(i)) && p.leftOver(i) })
	var dirs []int32
	for k := len(p.Changes) - 1; k >= 0; k-- {
		switch i := int32(k); {
		case !isDir(p.old(i)) || !p.leftOver(i):
		case holds[i] || p.Kept(p.path(i)) || !p.CompleteSync && p.old(i).Flags.Has(snapshot.Adopted):
			p.tree.mark(holds, i)
		default:
			dirs = append(dirs, i)
		}
	}
	return dirs
}
