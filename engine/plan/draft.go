package plan

import (
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// pairs tells which Old becomes which New. The slices are as long as Changes, or nil if no change has an Old.
type pairs struct {
	*Input
	tree     *tree
	dest     []int32 // of an Old: the New that it becomes
	source   []int32 // of a New: the Old that it is made from; the reverse of dest
	occupant []int32 // of a New: the Old that lies there once the directories above have moved
	origin   []int32 // of a New: the Old with the same content, if files cannot be moved; or nil
}

// sourceOf returns the Old that ends at place h, or none.
func (p *pairs) sourceOf(h int32) int32 {
	if p.source == nil {
		return none
	}
	return p.source[h]
}

// weigh compares Old i with the place h that it was paired with.
func (p *pairs) weigh(i, h int32) verdict {
	if !p.Caps.SameContent(p.old(i), p.now(h), p.path(i) != p.path(h)) {
		return edited
	}
	return p.compare(p.old(i), p.now(h), p.occupant[h] != i)
}

func (p *pairs) bind(i, h int32) { p.dest[i], p.source[h] = h, i }

// carried returns the nearest directory above Old i that moves, or none.
func (p *pairs) carried(i int32) int32 {
	up := p.tree.oldUp[i]
	for up != none && (p.dest[up] == none || p.dest[up] == up) {
		up = p.tree.oldUp[up]
	}
	return up
}

// layout tells where on the remote each Old is while steps move things about. An Old that no step moved by itself is
// where its directory is.
type layout struct {
	*tree
	at    map[int32]string // Olds that a step moved, and where to
	moved int              // how many directories are in at
}

// where returns the path of Old i now.
func (l *layout) where(i int32) string {
	path := l.changes[i].Path
	for up := i; up != none && len(l.at) > 0; up = l.oldUp[up] {
		if to, ok := l.at[up]; ok {
			return to + path[len(l.changes[up].Path):]
		}
	}
	return path
}

// whereIs returns the path now of what the base holds at path, which need not be in changes.
func (l *layout) whereIs(path string) string {
	if l.moved == 0 {
		return path
	}
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if i := l.find(dir); i != none && isDir(l.changes[i].Old) {
			return l.where(i) + path[len(dir):]
		}
	}
	return path
}

// draft is a plan in the making: the steps so far, and what they leave of the base.
type draft struct {
	pairs
	steps  []journal.Step
	layout layout
	drops  []dropped // of an Old: what the plan did to it; nil if no change has an Old
}

// dropped is what the plan did to an Old that does not stay.
type dropped uint8

const (
	present     dropped = iota // nothing so far
	overwritten                // what comes to its path replaces it
	deleted                    // by a step
)

// leftOver reports whether Old i becomes nothing and is still there.
func (d *draft) leftOver(i int32) bool { return d.dest[i] == none && d.drops[i] == present }

func (d *draft) step(s journal.Step) { d.steps = append(d.steps, s) }

// move emits the move of Old i to path, where the base will then have now.
func (d *draft) move(i int32, path string, now *snapshot.Entry, why journal.Reason) {
	s := journal.Step{Action: journal.Move, From: d.layout.where(i), Path: path, Old: d.old(i), New: now, Reason: why}
	if isDir(d.old(i)) {
		s.Dir, s.Files = true, d.tree.files(i)
		if _, again := d.layout.at[i]; !again {
			d.layout.moved++
		}
	}
	d.step(s)
	d.layout.at[i] = path
}

// delete emits the delete of Old i, where it is now. A file that something skipped covers is held in any case; the
// directories above wait for it.
func (d *draft) delete(i int32, why journal.Reason, held bool) {
	d.drops[i] = deleted
	d.step(journal.Step{
		Action: journal.Delete, Path: d.layout.where(i), Old: d.old(i), Reason: why,
		Dir: isDir(d.old(i)), Held: held || IsFile(d.old(i)) && d.Covered(d.path(i)),
	})
}
