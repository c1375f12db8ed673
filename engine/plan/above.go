package plan

import (
	"maps"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Where names fold, a file Notes is in the way of all that comes beneath notes/. The base may know that directory before
// the remote has it: it learns directories at once, and a run may be cut off before the file went. So it is the paths above
// what comes that are looked at.

// clearRetained deletes the retained files, which are not among the changes, that are one with a directory in which
// something comes.
func clearRetained(d draft) draft {
	d.eachDirAbove(func(dir string) {
		variant, e := d.CaseVariant(dir)
		if !IsRetainedFile(e) {
			return
		}
		d.step(journal.Step{Action: journal.Delete, Path: variant, Old: e, Reason: journal.Replaced})
		d.Known = maps.Clone(d.Known)
		maps.DeleteFunc(d.Known, func(_ Content, path string) bool { return path == variant })
	})
	return d
}

// clearAbove takes away the files that are one with a directory in which something comes, and that is not a place itself.
func (p *placer) clearAbove() {
	p.eachDirAbove(func(dir string) {
		if h := p.tree.find(dir); h != none && p.now(h) != nil {
			return // see free
		}
		for _, i := range p.variants.of(dir) {
			switch {
			case !IsFile(p.old(i)) || p.drops[i] != present || p.dest[i] == i || !p.onePath(p.layout.where(i), dir):
			case p.dest[i] != none:
				p.park(i, dir)
			default:
				p.delete(i, journal.Replaced, false)
			}
		}
	})
}

// eachDirAbove calls fn once with each directory that is, or is above, something new, if names fold.
func (d *draft) eachDirAbove(fn func(dir string)) {
	if !d.Caps.Folds() {
		return
	}
	seen := make(map[string]bool)
	for h := range d.size() {
		dir := d.path(h)
		switch {
		case d.now(h) == nil:
			continue
		case IsFile(d.now(h)):
			dir, _ = snapshot.Split(dir)
		}
		for ; dir != "" && !seen[dir]; dir, _ = snapshot.Split(dir) {
			seen[dir] = true
			fn(dir)
		}
	}
}
