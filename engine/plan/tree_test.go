package plan

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// TestTreeFollowsMoves compares a tree with a map in which every path is renamed one by one.
func TestTreeFollowsMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &disk{tree: make(entries), names: planNames, born: make(map[uint64]int64)}
		for range rapid.IntRange(1, 12).Draw(t, "files") {
			d.write(t, d.draw(t, "file"))
		}
		changes := scan(d.tree, nil, true)
		p := draft{pairs: pairs{Input: &Input{Changes: changes}, tree: newTree(changes)}}
		p.layout = layout{tree: p.tree, at: make(map[int32]string)}
		tree, naive := &p.layout, make(map[string]int32)
		for i, c := range changes {
			naive[c.Path] = int32(i)
		}
		for n := range rapid.IntRange(0, 8).Draw(t, "moves") {
			i := int32(rapid.IntRange(0, len(changes)-1).Draw(t, "which"))
			to := fmt.Sprintf("n%d", n) // a name that is free
			if up := rapid.IntRange(-1, len(changes)-1).Draw(t, "into"); up >= 0 && isDir(changes[up].Old) {
				if dir := tree.where(int32(up)); dir != tree.where(i) && !snapshot.Beneath(dir, tree.where(i)) {
					to = snapshot.Join(dir, to)
				}
			}
			moveKeys(naive, tree.where(i), to)
			p.move(i, to, nil, journal.Renamed)
			// What went into a directory does not follow it: the planner only puts things where
			// nothing moves any more. So nothing is put there that the tree would lose.
			if dir, _ := snapshot.Split(to); dir != "" {
				break
			}
		}
		for path, i := range naive {
			if got := tree.where(i); got != path {
				t.Fatalf("%s is at %s, the tree says %s", changes[i].Path, path, got)
			}
			if got := tree.whereIs(snapshot.Join(changes[i].Path, "x")); isDir(changes[i].Old) && got != snapshot.Join(path, "x") {
				t.Fatalf("what is in %s is in %s, the tree says %s", changes[i].Path, path, got)
			}
		}
	})
}

func TestTreeKnowsDirectoriesAbove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScenario(t, planNames, false, false)
		changes := scan(s.base, s.head, true)
		tree := newTree(changes)
		for i, c := range changes {
			if got := tree.find(c.Path); got != int32(i) {
				t.Fatalf("find(%q) = %d, want %d", c.Path, got, i)
			}
			up, end := none, i+1
			for k, other := range changes {
				if snapshot.Beneath(c.Path, other.Path) && isDir(other.Old) {
					up = int32(k)
				}
				if snapshot.Beneath(other.Path, c.Path) {
					end = k + 1
				}
			}
			if tree.oldUp[i] != up || int(tree.end(int32(i))) != end {
				t.Fatalf("%q: above %d, end %d; want %d, %d", c.Path, tree.oldUp[i], tree.end(int32(i)), up, end)
			}
		}
		if tree.find("no/such") != none {
			t.Fatal("found what is not there")
		}
	})
}
