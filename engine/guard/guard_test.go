package guard

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// deletes are the steps that delete the files numbered from to to.
func deletes(from, to int) (steps []journal.Step) {
	for i := from; i < to; i++ {
		steps = append(steps, journal.Step{Path: fmt.Sprint("f", i), Action: journal.Delete, Old: &snapshot.Entry{Size: 1}})
	}
	return steps
}

// TestCheck goes through what makes deletes pass, and what does not: of a base of 100 files more than 10 are too many.
func TestCheck(t *testing.T) {
	most, err := ParseMaxDelete("10")
	if err != nil {
		t.Fatal(err)
	}
	held := func(steps []journal.Step) []journal.Step {
		for i := range steps {
			steps[i].Held = true
		}
		return steps
	}
	digest := digestDeletes(deletes(0, 20), true)
	leftover := deletes(0, 20)
	for i := range leftover {
		leftover[i].Reason = journal.Stale
	}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	lately := func(ago time.Duration) Burst { return Burst{Burst: journal.Burst{Files: 8, Last: noon.Add(-ago)}} }
	for _, c := range []struct {
		name    string
		in      Input
		pending []journal.Step
		held    int64
	}{
		{"as many as allowed", Input{Steps: deletes(0, 10)}, nil, 0},
		{"one more", Input{Steps: deletes(0, 11)}, nil, 11},
		{"our own leftovers", Input{Steps: leftover}, nil, 0},
		{"held by the planner", Input{Steps: held(deletes(0, 2))}, nil, 2},
		{"held for a link that covers it", Input{Steps: held(deletes(0, 2)), Covered: []snapshot.Covered{{Path: "f1"}}}, nil, 2},
		{"approved", Input{Steps: deletes(0, 20), ApprovedDigest: digest}, nil, 0},
		{"others approved", Input{Steps: deletes(0, 21), ApprovedDigest: digest}, nil, 21},
		{"--approve, nothing held before", Input{Steps: deletes(0, 20), Approve: true}, nil, 0},
		{"--approve, these held before", Input{Steps: deletes(0, 20), Approve: true, HeldDigest: digest}, nil, 0},
		{"--approve, others held before", Input{Steps: deletes(0, 21), Approve: true, HeldDigest: digest}, nil, 21},
		{"--approve, others let through before", Input{Steps: deletes(0, 21), Approve: true, ApproveDigest: digest}, nil, 21},
		{"let through, then interrupted", Input{Steps: deletes(5, 20)}, deletes(0, 20), 0},
		{"some let through, then interrupted", Input{Steps: deletes(5, 25)}, deletes(0, 20), 20},
		{"in portions", Input{Steps: deletes(0, 9), Burst: lately(time.Minute)}, nil, 9},
		{"in portions, with a pause", Input{Steps: deletes(0, 9), Burst: lately(time.Hour)}, nil, 0},
		{"held by another process, allowed now", Input{Steps: deletes(0, 9), HeldDigest: "x"}, held(deletes(0, 9)), 9},
		{"of those held one is back", Input{Steps: deletes(0, 8), HeldDigest: "x"}, held(deletes(0, 9)), 8},
		{"of those held one is left, and another goes", Input{Steps: deletes(8, 10), HeldDigest: "x"}, held(deletes(0, 9)), 2},
		{"those held are all back, others go", Input{Steps: deletes(9, 12), HeldDigest: "x"}, held(deletes(0, 9)), 0},
		{"the clock was set back", Input{Steps: deletes(0, 9), Burst: lately(-time.Hour)}, nil, 0},
	} {
		in := c.in
		in.Base, in.MaxDelete, in.Now = journal.Totals{Files: 100}, most, noon
		in.Pending = func(yield func(*journal.Step, error) bool) {
			for i := range c.pending {
				if !yield(&c.pending[i], nil) {
					return
				}
			}
		}
		got, err := Check(in)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var says int64
		if got.Hold != nil {
			says = got.Hold.Deletes
		}
		n := len(in.Steps) - len(slices.DeleteFunc(slices.Clone(in.Steps), func(s journal.Step) bool { return s.Held }))
		if says != c.held || int64(n) != c.held {
			t.Errorf("%s: the verdict holds %d, %d steps are held; want %d", c.name, says, n, c.held)
		}
	}
}

// TestForeignFilesAreHeld goes through what was on the remote before us: no number lets it go but "everything", and what was
// sent from here goes.
func TestForeignFilesAreHeld(t *testing.T) {
	limit := func(text string) MaxDelete {
		m, err := ParseMaxDelete(text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	foreign := snapshot.Adopted | snapshot.Foreign
	steps := deletes(0, 2)
	steps[1].Old = &snapshot.Entry{Size: 1, Flags: foreign}
	steps = append(steps,
		journal.Step{Path: "d", Action: journal.Delete, Dir: true, Old: &snapshot.Entry{Kind: snapshot.Dir, Flags: foreign}},
		journal.Step{Path: "e", Action: journal.Delete, Dir: true, Old: &snapshot.Entry{Kind: snapshot.Dir}},
		journal.Step{Path: "leftover", Action: journal.Delete, Reason: journal.Stale, Old: &snapshot.Entry{Flags: foreign}})
	in := Input{Steps: steps, Base: journal.Totals{Files: 100}, MaxDelete: limit("99%"), Pending: func(func(*journal.Step, error) bool) {}}
	held := func() (paths []string) {
		for i := range steps {
			if steps[i].Held {
				paths = append(paths, steps[i].Path)
			}
		}
		return paths
	}
	got, err := Check(in)
	if err != nil || got.Hold == nil || got.Hold.Deletes != 1 || !slices.Equal(held(), []string{"f1", "d"}) {
		t.Fatalf("held %q: %+v, %v", held(), got.Hold, err)
	}
	in.ApprovedDigest = got.Hold.Digest
	if got, err := Check(in); err != nil || got.Hold != nil || len(held()) > 0 {
		t.Errorf("after approval held %q: %+v, %v", held(), got.Hold, err)
	}
	in.ApprovedDigest, in.MaxDelete = "", limit("100%")
	if got, err := Check(in); err != nil || got.Hold != nil || len(held()) > 0 {
		t.Errorf("where everything may go held %q: %+v, %v", held(), got.Hold, err)
	}
}

// TestBurst compares what a burst counts with what was lost in it: files that were there when it began, however they were
// edited meanwhile.
func TestBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Burst
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		names := []string{"a", "b", "c", "d"}
		there, fresh := map[string]bool{"a": true, "b": true, "c": true}, map[string]bool{}
		lost, last := int64(0), time.Time{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{time.Second, burstGap, burstGap + 1}).Draw(t, "pause"))
			if now.Sub(last) > burstGap {
				lost, fresh = 0, map[string]bool{}
			}
			path := rapid.SampledFrom(names).Draw(t, "path")
			step := journal.Step{Path: path, Action: journal.Send, New: &snapshot.Entry{Mtime: now.UnixNano()}}
			if there[path] {
				step.Old = &snapshot.Entry{Mtime: now.UnixNano()}
			}
			switch gone := there[path] && rapid.Bool().Draw(t, "gone"); {
			case gone && fresh[path]:
				step.Action, there[path], fresh[path] = journal.Delete, false, false
			case gone:
				step.Action, there[path] = journal.Delete, false
				lost, last = lost+1, now
			case !there[path]:
				there[path], fresh[path] = true, lost > 0
			}
			b.Did(&step, now)
			if got := b.deletes(now); got != lost {
				t.Fatalf("%v %s: the burst has %d files, want %d", step.Action, path, got, lost)
			}
		}
	})
}

// TestWhyMarked: each cause is named, and the first of the places where something skipped is.
func TestWhyMarked(t *testing.T) {
	link := func(path string) snapshot.Covered { return snapshot.Covered{Path: path, Reason: "a link"} }
	step := func(path string, why journal.Reason) journal.Step {
		return journal.Step{Path: path, Action: journal.Delete, Reason: why, Held: true}
	}
	for _, c := range []struct {
		steps   []journal.Step
		covered []snapshot.Covered
		want    string
	}{
		{[]journal.Step{step("d/x", journal.Deleted)}, []snapshot.Covered{link("a"), link("d")}, `"d": a link`},
		{
			[]journal.Step{step("a", journal.Deleted), step("d/e/x", journal.Deleted)}, []snapshot.Covered{link("a"), link("d/e"), link("moved")},
			`"a": a link; and so in 1 more places`,
		},
		{
			[]journal.Step{step("r", journal.Replaced), step("a", journal.Deleted)}, []snapshot.Covered{link("a")},
			`the remote retains 1 of its files where the source has something else; "a": a link`,
		},
	} {
		in := Input{Steps: c.steps, Covered: c.covered}
		if got := in.whyMarked(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
