package plan

import (
	"slices"

	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/journal"
)

// Where files cannot be moved, some are deleted before the sends to make room, and may be wanted elsewhere:
// after `mv d/x y; rm -r d; touch d` the content of d/x is that of y. It is copied first, and then deleted.

// savable reports whether Old i, which is deleted to make room, can be copied to place h before.
func (c *copies) savable(i, h int32) bool {
	if c.drops[i] != deleted || c.Caps.Move || c.Caps.CaseInsensitive || len(c.tree.at) > 0 {
		return false // steps of other kinds come before the sends, too, and would be in between
	}
	if c.room == nil {
		room := pathset.New(&c.Caps)
		c.room = &room
		for i := range c.out.Steps[:c.begin] {
			c.room.Count(c.out.Steps[i].Path, 1)
		}
	}
	return !c.room.Overlaps(c.path(h))
}

// copyFirst puts the copies of what is deleted before the deletes, and orders the sends.
func (c *copies) copyFirst() {
	deletes, sends := c.out.Steps[:c.begin], c.out.Steps[c.begin:]
	first := c.findFirst(sends)
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
		if d := &deletes[i]; c.CompleteSync && !d.Dir && c.used[c.tree.find(d.Path)] {
			d.Reason = journal.Renamed
		}
	}
	c.out.Steps = slices.Concat(before, deletes, after)
}

// findFirst marks the copies of what is deleted. What such a copy replaces may be copied as well: then that comes
// along, unless its own place has to be freed first, and then the file is sent after all.
func (c *copies) findFirst(sends []journal.Step) []bool {
	readers := make(map[string][]int)
	for i := range sends {
		if sends[i].How == journal.Copy {
			readers[sends[i].From] = append(readers[sends[i].From], i)
		}
	}
	first := make([]bool, len(sends))
	for i := range sends {
		if sends[i].How != journal.Copy || !c.room.Covers(sends[i].From) {
			continue
		}
		if along, ok := c.comeAlong(sends, readers, i); ok {
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
func (c *copies) comeAlong(sends []journal.Step, readers map[string][]int, i int) (along []int, ok bool) {
	seen := map[int]bool{i: true}
	along = []int{i}
	for n := 0; n < len(along); n++ {
		path := sends[along[n]].Path
		if c.room.Overlaps(path) {
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
