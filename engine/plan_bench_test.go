package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

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

var allCaps = Caps{Move: true, DirMove: true, Copy: true, SetModTime: true, Precision: 1}

func BenchmarkPlan(b *testing.B) {
	for _, shape := range planShapes {
		b.Run(fmt.Sprintf("%s-%d", shape.name, shape.n), func(b *testing.B) {
			in := PlanInput{Changes: bigChanges(shape.n, shape.change), Caps: allCaps, CompleteSync: true}
			b.ReportAllocs()
			for b.Loop() {
				Plan(in)
			}
		})
	}
}

// TestPlanGrowsLinearly: sixteen times the changes may take longer than sixteen times as long, for
// caches are small, but nowhere near 256 times.
func TestPlanGrowsLinearly(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for _, shape := range planShapes {
		change := shape.change
		measure := func(n int) time.Duration {
			if shape.name == "chain" {
				change = shifted(n)
			}
			in := PlanInput{Changes: bigChanges(n, change), Caps: allCaps, CompleteSync: true}
			best := time.Hour
			for range 5 {
				begun := time.Now()
				Plan(in)
				best = min(best, time.Since(begun))
			}
			return best
		}
		small, big := max(measure(4_000), time.Millisecond), measure(64_000)
		if ratio := float64(big) / float64(small); ratio > 100 {
			t.Errorf("%s: sixteen times the changes take %.0f times as long (%v, %v)", shape.name, ratio, small, big)
		}
	}
}
