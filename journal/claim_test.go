package journal

import "testing"

// The first steps of a plan are claimed with it, and what an earlier claim covers stays claimed.
func TestRecordClaims(t *testing.T) {
	j, _ := newJournal(t)
	claimed := func() (paths []string) {
		steps, err := j.Started()
		must(t, err)
		for i := range steps {
			paths = append(paths, steps[i].Path)
		}
		return paths
	}
	want := func(what string, n int) {
		t.Helper()
		if got := claimed(); len(got) != n {
			t.Errorf("%s: claimed are %q, want %d", what, got, n)
		}
	}
	steps := []Step{send("a", file(1)), send("b", file(2)), send("c", file(3))}
	_, err := j.Begin(Plan{Steps: steps}, &Record{Claim: 2}, noon)
	must(t, err)
	want("begin", 2)
	must(t, j.Remember(&Record{Claim: 1}, noon))
	want("fewer", 2)
	before := changes(t, j)
	must(t, j.Claim(steps[1].Seq))
	if n := changes(t, j) - before; n != 0 {
		t.Errorf("%d rows written for what is claimed", n)
	}
	_, err = j.Extend(Plan{Steps: []Step{send("d", file(4))}}, &Record{Claim: 256}, noon)
	must(t, err)
	want("extend", 4)
	_, err = j.Begin(Plan{Steps: []Step{send("e", file(5))}}, nil, noon)
	must(t, err)
	want("begin without", 0)
	cycle, err := j.Amend(Plan{Steps: []Step{send("f", file(6))}}, &Record{Claim: 1}, nil, func(string) bool { return false }, noon)
	must(t, err)
	want("amend", 1)
	must(t, j.Finish(cycle, CycleResult{}, &Record{Settle: true}, noon))
	want("finish", 0)
	if temps, err := j.Temps(); err != nil || len(temps) != 5 {
		t.Errorf("temporary names of %q, %v", temps, err)
	}
}
