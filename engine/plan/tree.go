package plan

import (
	"sort"

	"github.com/snapsync/snapsync/snapshot"
)

// tree tells where on the remote each Old is while steps move it about. Changes are sorted so that
// what lies beneath a directory follows it: therefore the tree itself is only, for each change, how
// far up its nearest changed directory is, and the paths of those few entries that were moved by a
// step of their own. Everything else is where its directory is.
type tree struct {
	changes []snapshot.Change
	oldUp   []int32          // of any change: the nearest directory above it in the base; or none
	newUp   []int32          // of any change: the nearest directory above it in the head; or none
	at      map[int32]string // Olds that a step moved, and where to
	moved   int              // how many directories are in at
}

func newTree(changes []snapshot.Change) *tree {
	t := &tree{
		changes: changes, at: make(map[int32]string),
		oldUp: make([]int32, len(changes)), newUp: make([]int32, len(changes)),
	}
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

// nearest drops from stack, a chain of directories, those that path is not beneath.
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

// where returns the path of Old i now.
func (t *tree) where(i int32) string {
	path := t.changes[i].Path
	for up := i; up != none && len(t.at) > 0; up = t.oldUp[up] {
		if to, ok := t.at[up]; ok {
			return to + path[len(t.changes[up].Path):]
		}
	}
	return path
}

// whereIs returns the path now of what the base holds at path, which need not be in changes.
func (t *tree) whereIs(path string) string {
	if t.moved == 0 {
		return path
	}
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if i := t.find(dir); i != none && isDir(t.changes[i].Old) {
			return t.where(i) + path[len(dir):]
		}
	}
	return path
}

// move records that Old i is at path now, with everything that is in it.
func (t *tree) move(i int32, path string) {
	if _, again := t.at[i]; !again && isDir(t.changes[i].Old) {
		t.moved++
	}
	t.at[i] = path
}

// Find returns the index of the change at path, or none.
func (t *tree) find(path string) int32 {
	i := t.search(path)
	if i == len(t.changes) || t.changes[i].Path != path {
		return none
	}
	return int32(i)
}

// findFrom is find for a caller who expects the answer at index hint.
func (t *tree) findFrom(hint int32, path string) int32 {
	if hint >= 0 && int(hint) < len(t.changes) && t.changes[hint].Path == path {
		return hint
	}
	return t.find(path)
}

func (t *tree) search(path string) int {
	return sort.Search(len(t.changes), func(i int) bool {
		return snapshot.ComparePaths(t.changes[i].Path, path) >= 0
	})
}

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
