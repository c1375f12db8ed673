package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// bigChanges makes the changes of big trees, sorted. change is asked for what happened to file i.
func bigChanges(n int, change func(i int) []snapshot.Change) []snapshot.Change {
	var changes []snapshot.Change
	for i := range n {
		changes = append(changes, change(i)...)
	}
	slices.SortFunc(changes, func(a, b snapshot.Change) int { return snapshot.ComparePaths(a.Path, b.Path) })
	return changes
}

func bigFile(i int) *snapshot.Entry {
	e := &snapshot.Entry{Kind: snapshot.File, Dev: 1, Ino: uint64(i + 10), Size: int64(i + 1), Mtime: int64(i) * second, HashType: snapshot.XXH3}
	e.Hash = hashWord(fmt.Sprint(i))
	return e
}

func dirPath(i int) string { return fmt.Sprintf("dir%04d/sub%02d", i/100, i%10) }

// added is a first run.
func added(i int) []snapshot.Change {
	return []snapshot.Change{{Path: fmt.Sprintf("%s/file%07d", dirPath(i), i), New: bigFile(i)}}
}

func deletedFile(i int) []snapshot.Change {
	return []snapshot.Change{{Path: fmt.Sprintf("%s/file%07d", dirPath(i), i), Old: bigFile(i)}}
}

func renamed(i int) []snapshot.Change {
	return []snapshot.Change{
		{Path: fmt.Sprintf("%s/file%07d", dirPath(i), i), Old: bigFile(i)},
		{Path: fmt.Sprintf("%s/other%07d", dirPath(i), i), New: bigFile(i)},
	}
}

// shifted is a sequence of pictures of which each got the number of the next.
func shifted(n int) func(i int) []snapshot.Change {
	return func(i int) []snapshot.Change {
		c := snapshot.Change{Path: fmt.Sprintf("pictures/img%07d", i), Old: bigFile(i)}
		if i > 0 {
			c.New = bigFile(i - 1)
		}
		if i == n-1 {
			return []snapshot.Change{c, {Path: fmt.Sprintf("pictures/img%07d", n), New: bigFile(i)}}
		}
		return []snapshot.Change{c}
	}
}

// alike are copies of one file that all got another name.
func alike(i int) []snapshot.Change {
	one := bigFile(0)
	one.Ino = 0
	return []snapshot.Change{
		{Path: fmt.Sprintf("old/file%07d", i), Old: one},
		{Path: fmt.Sprintf("new/file%07d", i), New: one},
	}
}

// directories are renamed at the top, with edits at the bottom.
func directories(i int) []snapshot.Change {
	dir := func(ino int) *snapshot.Entry {
		return &snapshot.Entry{Kind: snapshot.Dir, Dev: 1, Ino: uint64(ino + 1e7)}
	}
	var changes []snapshot.Change
	for _, top := range []string{"old", "new"} {
		add := func(path string, e *snapshot.Entry) {
			if top == "old" {
				changes = append(changes, snapshot.Change{Path: top + path, Old: e})
			} else {
				changes = append(changes, snapshot.Change{Path: top + path, New: e})
			}
		}
		if i == 0 {
			add("", dir(0))
		}
		if i%10 == 0 {
			add(fmt.Sprintf("/d%06d", i/10), dir(i/10+1))
		}
		add(fmt.Sprintf("/d%06d/f%d", i/10, i%10), bigFile(i))
	}
	return changes
}

var planShapes = []struct {
	name   string
	n      int
	change func(i int) []snapshot.Change
}{
	{"additions", 1_000_000, added},
	{"deletes", 1_000_000, deletedFile},
	{"renames", 100_000, renamed},
	{"chain", 100_000, shifted(100_000)},
	{"alike", 100_000, alike},
	{"directory", 100_000, directories},
}

var allCaps = remote.Caps{Move: true, DirMove: true, Copy: true, SetModTime: true, Precision: 1}

// BenchmarkPlan reports, besides the time, how many times as long a plan takes as putting the same
// paths into a map: that grows linearly, so the ratio shows whether the planner does.
func BenchmarkPlan(b *testing.B) {
	for _, shape := range planShapes {
		b.Run(fmt.Sprintf("%s-%d", shape.name, shape.n), func(b *testing.B) {
			in := Input{Changes: bigChanges(shape.n, shape.change), Caps: allCaps, CompleteSync: true}
			begun := time.Now()
			paths := make(map[string]int)
			for i := range in.Changes {
				paths[in.Changes[i].Path] = i
			}
			mapping := time.Since(begun)
			b.ReportAllocs()
			for b.Loop() {
				Make(in)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(mapping), "x-map")
		})
	}
}
