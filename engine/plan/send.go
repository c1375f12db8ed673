package plan

import (
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// send emits what is to be done at the places themselves, once everything that moves has moved.
func (p *planner) send() {
	copies := p.findCopies()
	for k := range p.Changes {
		h := int32(k)
		switch now := p.now(h); {
		case IsFile(now):
			p.sendFile(h, &copies)
		case isDir(now) && p.wantsMkdir(h):
			p.step(journal.Step{Action: journal.Send, How: journal.Mkdir, Path: p.path(h), New: now, Dir: true, Reason: journal.New})
		}
	}
	switch {
	case copies.saves:
		copies.copyFirst()
	case copies.overwrites:
		orderCopies(p.out.Steps[copies.begin:])
	}
	p.copied = copies.used
}

// sendFile emits the send for the file at place h, if it needs one.
func (p *planner) sendFile(h int32, copies *copies) {
	s := journal.Step{Action: journal.Send, How: journal.Upload, Path: p.path(h), New: p.now(h), Reason: journal.New}
	if i := p.sourceOf(h); i != none {
		s.Old, s.Reason = p.old(i), journal.Modified
		switch p.weigh(i, h) {
		case settled:
			return
		case retimed:
			s.How, s.Reason, s.New = journal.Touch, journal.Mtime, merged(s.Old, s.New)
			if p.Caps.SameMtime(s.Old, s.New) {
				s.Reason = journal.Metadata
			}
			p.step(s)
			return
		}
	}
	if from, content := copies.find(h); from != "" {
		s.How, s.From, s.New, s.Reason = journal.Copy, from, content, journal.ContentKnown
	}
	p.step(s)
}

// wantsMkdir reports whether h is a directory that does not come by itself with what is in it.
func (p *planner) wantsMkdir(h int32) bool {
	if !p.EmptyDirs || !p.Caps.EmptyDirs || p.sourceOf(h) != none {
		return false
	}
	path := p.path(h)
	for k := int(h) + 1; k < len(p.Changes) && snapshot.Beneath(p.Changes[k].Path, path); k++ {
		if p.Changes[k].New != nil {
			return false
		}
	}
	return true
}

// copies finds paths that hold, when the sends begin, what a place wants.
type copies struct {
	*planner
	begin      int               // how many steps come before the sends
	held       map[Content]int32 // Olds that hold wanted content; nil if none is wanted
	used       map[int32]bool    // Olds that were copied to the place that their file moved to
	overwrites bool              // some step may replace what another one copies
	saves      bool              // some step copies what an earlier one deletes
	room       *pathset.Set      // what those delete, once it is asked for
}

func (p *planner) findCopies() copies {
	c := copies{planner: p, begin: len(p.out.Steps)}
	if !p.Caps.Copy {
		return c
	}
	c.used = make(map[int32]bool)
	if !p.anyOld {
		return c
	}
	wanted := make(map[Content]bool)
	for k := range p.Changes {
		if content, ok := ContentOf(p.now(int32(k))); ok {
			wanted[content] = true
		}
	}
	if len(wanted) == 0 {
		return c
	}
	c.held = make(map[Content]int32)
	for k := range p.Changes {
		i := int32(k)
		content, ok := ContentOf(p.old(i))
		if !ok || !wanted[content] || p.drops[i] == overwritten {
			continue
		}
		if other, ok := c.held[content]; !ok || c.rank(i) < c.rank(other) {
			c.held[content] = i
		}
	}
	return c
}

// ContentOf returns what e holds, if a copy of it is worth anything.
func ContentOf(e *snapshot.Entry) (Content, bool) {
	if !IsFile(e) || e.HashType != snapshot.XXH3 || e.Size == 0 || e.Kind != snapshot.File {
		return Content{}, false
	}
	return Content{e.Size, e.Hash}, true
}

// rank is lower for what is better to copy: what stays, then what is replaced, then what is deleted first.
func (c *copies) rank(i int32) int {
	switch {
	case c.drops[i] == deleted:
		return 2
	case c.leaves(i):
		return 1
	}
	return 0
}

// leaves reports whether the sends replace what Old i is.
func (c *copies) leaves(i int32) bool {
	h := c.dest[i]
	return h != none && c.weigh(i, h) == edited
}

// Find returns the path of what place h wants, and what h will hold; or no path.
func (c *copies) find(h int32) (from string, content *snapshot.Entry) {
	now := c.now(h)
	if !c.Caps.Copy || now.Size == 0 || c.Metadata && c.Caps.Metadata {
		return "", nil // a copy would bring the other file's metadata along
	}
	if c.origin != nil && c.origin[h] != none {
		if i := c.origin[h]; c.Caps.SameContent(c.old(i), now, true) && c.take(i, h) {
			c.used[i] = true
			return c.tree.where(i), merged(c.old(i), now)
		}
	}
	key, ok := ContentOf(now)
	if !ok {
		return "", nil
	}
	if path := c.Known[key]; path != "" && c.stays(path) {
		return c.whereIs(path), now
	}
	if i, ok := c.held[key]; ok && c.take(i, h) {
		return c.tree.where(i), now
	}
	return "", nil
}

// take reports whether Old i can be copied to place h.
func (c *copies) take(i, h int32) bool {
	switch {
	case c.drops[i] == present:
		c.overwrites = c.overwrites || c.leaves(i)
	case c.savable(i, h):
		c.saves = true
	default:
		return false
	}
	return true
}

func (p *planner) whereIs(path string) string {
	if !p.anyOld {
		return path
	}
	return p.tree.whereIs(path)
}

// rig.Stays reports whether no step of this plan replaces what the base holds at path, which is not in
// Changes: something may come to where it was carried with its directory.
func (c *copies) stays(path string) bool {
	if !c.anyOld {
		return true
	}
	for at := c.whereIs(path); at != ""; at, _ = snapshot.Split(at) {
		if h := c.tree.find(at); h != none && IsFile(c.now(h)) {
			return false
		}
	}
	return true
}

// orderCopies sorts sends so that each copy comes before the send that replaces what it copies. All
// else stays in order. In a circle of copies one has to be an upload: the smallest.
func orderCopies(steps []journal.Step) {
	o := newCopyOrder(steps)
	for i := range steps {
		o.visit(i)
	}
	for i := range steps {
		if !o.done[i] {
			o.cut(i)
		}
	}
	sorted := make([]journal.Step, 0, len(steps))
	for _, i := range o.order {
		sorted = append(sorted, steps[i])
	}
	copy(steps, sorted)
}

type copyOrder struct {
	steps   []journal.Step
	next    []int // the step that replaces what this one copies, or -1
	readers []int // how many steps have still to copy what this one replaces
	waiting []bool
	done    []bool
	order   []int
}

func newCopyOrder(steps []journal.Step) *copyOrder {
	n := len(steps)
	o := &copyOrder{
		steps: steps, next: make([]int, n), readers: make([]int, n),
		waiting: make([]bool, n), done: make([]bool, n), order: make([]int, 0, n),
	}
	replaces := make(map[string]int)
	for i := range steps {
		if s := &steps[i]; s.How == journal.Upload || s.How == journal.Copy {
			replaces[s.Path] = i
		}
	}
	for i := range steps {
		o.next[i] = -1
		if j, ok := replaces[steps[i].From]; ok && steps[i].How == journal.Copy {
			o.next[i] = j
			o.readers[j]++
		}
	}
	return o
}

// visit puts step i in order if nothing has to come before it, and then what waited only for it.
func (o *copyOrder) visit(i int) {
	o.waiting[i] = true
	for i >= 0 && o.waiting[i] && !o.done[i] && o.readers[i] == 0 {
		o.done[i] = true
		o.order = append(o.order, i)
		if i = o.next[i]; i >= 0 {
			o.readers[i]--
		}
	}
}

// rig.Cut opens the circle that step i is in. Whatever led into it is in order already.
func (o *copyOrder) cut(i int) {
	smallest := i
	for j := o.next[i]; j != i; j = o.next[j] {
		if o.steps[j].New.Size < o.steps[smallest].New.Size {
			smallest = j
		}
	}
	after := o.next[smallest]
	uploadInstead(&o.steps[smallest])
	o.next[smallest] = -1
	o.readers[after]--
	o.visit(after)
}

// uploadInstead makes a copy an upload.
func uploadInstead(s *journal.Step) {
	s.How, s.From, s.Reason = journal.Upload, "", journal.New
	if s.Old != nil {
		s.Reason = journal.Modified
	}
}
