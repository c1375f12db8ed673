package journal

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func nowhere(string) bool { return false }

// What a narrowed cycle did not look at stays pending, in its place and with its age.
func TestAmendKeepsTheRest(t *testing.T) {
	j, _ := newJournal(t)
	steps := []Step{send("a", file(1)), send("b", file(2)), remove("c", nil)}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	later := noon.Add(time.Hour)
	again := []Step{send("b", file(3)), send("d", file(4))}
	cycle, err := j.Amend(Plan{Steps: again}, nil, []int64{steps[1].Seq}, nowhere, later)
	must(t, err)
	if cycle == 0 {
		t.Error("no cycle, with steps pending")
	}
	if again[0].Seq <= steps[2].Seq {
		t.Errorf("step number %d was used before", again[0].Seq)
	}
	if diff := cmp.Diff([]Step{steps[0], steps[2], again[0], again[1]}, allPending(t, j)); diff != "" {
		t.Error(diff)
	}
	must(t, j.Ack([]Done{{Step: steps[0], Entry: file(1), At: later}, {Step: steps[2], At: later}}))
	if diff := cmp.Diff(Counts{Pending: 2, Oldest: noon}, counts(t, j)); diff != "" {
		t.Errorf("b waits since the first plan: %s", diff)
	}
	mustBeSound(t, j)
}

func TestAmendDropsHeldSteps(t *testing.T) {
	j, _ := newJournal(t)
	held := remove("c", nil)
	held.Held = true
	steps := []Step{held}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	cycle, err := j.Amend(Plan{}, nil, []int64{steps[0].Seq}, nowhere, noon)
	must(t, err)
	if cycle != 0 {
		t.Errorf("cycle %d, with nothing pending", cycle)
	}
	if diff := cmp.Diff(Counts{}, counts(t, j)); diff != "" {
		t.Error(diff)
	}
	mustBeSound(t, j)
}

// A failure lasts while its step does, or while nobody looked at its path again.
func TestAmendForgetsFailures(t *testing.T) {
	j, _ := newJournal(t)
	steps := []Step{send("kept", file(1)), send("again", file(2)), send("mended", file(3))}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	for _, path := range []string{"kept", "again", "mended", "unread", "read"} {
		must(t, j.Fail([]Failure{{Path: path, Class: "permission", Message: "no", At: noon}}))
	}
	looked := map[string]bool{"again": true, "mended": true, "read": true}
	_, err = j.Amend(Plan{Steps: []Step{send("again", file(2))}}, nil, []int64{steps[1].Seq, steps[2].Seq},
		func(path string) bool { return looked[path] }, noon)
	must(t, err)
	rows, err := j.Failures(10)
	must(t, err)
	var left []string
	for _, r := range rows {
		left = append(left, r.Path)
	}
	if diff := cmp.Diff([]string{"again", "kept", "unread"}, left); diff != "" {
		t.Error(diff)
	}
}

// Names of uploads that were in flight outlive the steps that are dropped.
func TestAmendRemembersTemps(t *testing.T) {
	j, _ := newJournal(t)
	steps := []Step{send("a", file(1))}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	must(t, j.Claim(steps[0].Seq))
	_, err = j.Amend(Plan{}, nil, []int64{steps[0].Seq}, nowhere, noon)
	must(t, err)
	temps, err := j.Temps()
	must(t, err)
	if diff := cmp.Diff([]string{"a"}, temps); diff != "" {
		t.Error(diff)
	}
}

func TestAmendNothingWritesNothing(t *testing.T) {
	j, path := newJournal(t)
	before := listing(t, filepath.Dir(path))
	cycle, err := j.Amend(Plan{}, nil, nil, nowhere, noon)
	must(t, err)
	if diff := cmp.Diff(before, listing(t, filepath.Dir(path))); diff != "" || cycle != 0 {
		t.Errorf("cycle %d: %s", cycle, diff)
	}
}
