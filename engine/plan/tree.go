package plan

import (
	"sort"

	"github.com/snapsync/snapsync/snapshot"
)

// tree tells what is above and beneath what. Changes are sorted so that what is beneath a directory follows it: so
// the nearest directories above are all that has to be kept.
type tree struct {
	changes []snapshot.Change
	oldUp   []int32 // of any change: the nearest directory above it in the base; or none
	newUp   []int32 // of any change: the nearest directory above it in the head; or none
}

func newTree(changes []snapshot.Change) *tree {
	t := &tree{changes, make([]int32, len(changes)), make([]int32, len(changes))}
	var olds, news []int32
	for i := range changes {
		c := &changes[i]
		t.oldUp[i] = t.nearest(&olds, c.Path)
		t.newUp[i] = t.nearest(&news, c.Path)
		if isDir(c.Old) {
			olds = append(olds, int32(i))
		}
		if isDir(c.New) {
			news = append(news, int32(i))
		}
	}
	return t
}

// nearest drops from stack, a chain of directories, those that path is not beneath, and returns the last that is left.
func (t *tree) nearest(stack *[]int32, path string) int32 {
	s := *stack
	for len(s) > 0 && !snapshot.Beneath(path, t.changes[s[len(s)-1]].Path) {
		s = s[:len(s)-1]
	}
	*stack = s
	if len(s) == 0 {
		return none
	}
	return s[len(s)-1]
}

func (t *tree) find(path string) int32 { return find(t.changes, path) }

// end returns the index after the last change beneath the one at i.
func (t *tree) end(i int32) int32 {
	path, rest := t.changes[i].Path, t.changes[i+1:]
	return i + 1 + int32(sort.Search(len(rest), func(k int) bool { return !snapshot.Beneath(rest[k].Path, path) }))
}

// files counts the files of the base beneath the directory i.
func (t *tree) files(i int32) (n int32) {
	for k, end := i+1, t.end(i); k < end; k++ {
		if IsFile(t.changes[k].Old) {
			n++
		}
	}
	return n
}

// holding marks the directories of the base that have such a thing beneath them.
func (t *tree) holding(such func(i int32) bool) []bool {
	marks := make([]bool, len(t.changes))
	for i := range t.changes {
		if such(int32(i)) {
			t.mark(marks, int32(i))
		}
	}
	return marks
}

// mark marks the directories of the base above i.
func (t *tree) mark(marks []bool, i int32) {
	for up := t.oldUp[i]; up != none && !marks[up]; up = t.oldUp[up] {
		marks[up] = true
	}
}
