package plan

import (
	"slices"

	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/journal"
)

// Where files cannot be moved, some are deleted before the sends to make room, and may be wanted elsewhere: after
// `mv d/x y; rm -r d; touch d` the content of d/x is that of y. Such a file is copied first, and then deleted.

// savable reports whether Old i, which is deleted to make room, can be copied to place h before that.
func (p *sender) savable(i, h int32) bool {
	if p.drops[i] != deleted || p.Caps.Move || p.Caps.Folds() || len(p.layout.at) > 0 {
		return false // steps of other kinds come before the sends, too, and would be in between
	}
	if p.room == nil {
		room := pathset.New(&p.Caps)
		p.room = &room
		for i := range p.steps[:p.begin] {
			p.room.Count(p.steps[i].Path, 1)
		}
	}
	return !p.room.Overlaps(p.path(h))
}

// copyFirst puts the copies of what is deleted before the deletes, and orders the sends.
func (p *sender) copyFirst() {
	deletes, sends := p.steps[:p.begin], p.steps[p.begin:]
	first := p.findFirst(sends)
	var before, after []journal.Step
	for i := range sends {
		if first[i] {
			before = append(before, sends[i])
		} else {
			after = append(after, sends[i])
		}
	}
	orderCopies(before)
	orderCopies(after)
	for i := range deletes {
		if d := &deletes[i]; p.CompleteSync && !d.Dir && p.copied[p.tree.find(d.Path)] {
			d.Reason = journal.Renamed
		}
	}
	p.steps = slices.Concat(before, deletes, after)
}

// findFirst marks the copies that come before the deletes: those of what is deleted, and those of what they replace. If
// one of these has to wait until its place is free, the file is sent after all.
func (p *sender) findFirst(sends []journal.Step) []bool {
	readers := make(map[string][]int)
	for i := range sends {
		if sends[i].How == journal.Copy {
			readers[sends[i].From] = append(readers[sends[i].From], i)
		}
	}
	first := make([]bool, len(sends))
	for i := range sends {
		if sends[i].How != journal.Copy || !p.room.Covers(sends[i].From) {
			continue
		}
		if along, ok := p.comeAlong(sends, readers, i); ok {
			for _, k := range along {
				first[k] = true
			}
		} else {
			uploadInstead(&sends[i])
		}
	}
	return first
}

// comeAlong returns the copy i and all copies that have to come before it, and whether they can.
func (p *sender) comeAlong(sends []journal.Step, readers map[string][]int, i int) (along []int, ok bool) {
	seen := map[int]bool{i: true}
	along = []int{i}
	for n := 0; n < len(along); n++ {
		path := sends[along[n]].Path
		if p.room.Overlaps(path) {
			return nil, false
		}
		for _, k := range readers[path] {
			if !seen[k] && sends[k].How == journal.Copy {
				seen[k] = true
				along = append(along, k)
			}
		}
	}
	return along, true
}

// orderCopies sorts sends so that each copy comes before the send that replaces what it copies. All else stays in order.
// In a circle of copies the smallest becomes an upload.
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

// cut opens the circle that step i is in. What led into the circle is in order already.
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
