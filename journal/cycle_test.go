package journal

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

func counts(t *testing.T, j *Journal) Counts {
	t.Helper()
	n, err := j.Counts()
	must(t, err)
	return n
}

func allPending(t *testing.T, j *Journal) []Step {
	t.Helper()
	steps, err := j.Pending(0, 1000)
	must(t, err)
	return steps
}

func TestPendingReturnsWhatBegan(t *testing.T) {
	j, _ := newJournal(t)
	e, d := hashed(9, 3), directory()
	want := []Step{
		{Action: Move, Reason: Renamed, From: "a\xff", Path: "b\n", Dir: true, Files: 12, Old: d, New: d},
		{Action: Send, How: Copy, Reason: ContentKnown, From: "c", Path: "d/e", New: e},
		{Action: Send, How: Touch, Reason: Mtime, Path: "f", Old: file(1), New: e},
		{Action: Send, How: Mkdir, Reason: New, Path: "g", Dir: true, New: d},
		{Action: Delete, Reason: Deleted, Path: "h", Old: file(2), Held: true},
		{Action: Delete, Reason: Emptied, Path: "i", Old: d, Dir: true},
	}
	_, err := j.Begin(Plan{Steps: want}, nil, noon)
	must(t, err)
	if diff := cmp.Diff(want, allPending(t, j)); diff != "" {
		t.Error(diff)
	}
	page, err := j.Pending(want[1].Seq, 2)
	must(t, err)
	if diff := cmp.Diff(want[2:4], page); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Counts{Pending: 5, Held: 1, Oldest: noon}, counts(t, j)); diff != "" {
		t.Error(diff)
	}
}

func TestBeginReplacesWhatWasPending(t *testing.T) {
	j, _ := newJournal(t)
	steps := []Step{send("a", file(1)), send("b", file(2)), remove("c", nil)}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	later := noon.Add(time.Hour)
	again := []Step{send("b", file(3)), send("d", file(4))}
	_, err = j.Begin(Plan{Steps: again}, nil, later)
	must(t, err)
	if again[0].Seq <= steps[2].Seq {
		t.Errorf("step number %d was used before", again[0].Seq)
	}
	if diff := cmp.Diff(again, allPending(t, j)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Counts{Pending: 2, Oldest: noon}, counts(t, j)); diff != "" {
		t.Errorf("b waits since the first plan: %s", diff)
	}
	must(t, j.Ack([]Done{{Step: again[0], Entry: file(3), At: later}}))
	if diff := cmp.Diff(Counts{Pending: 1, Oldest: later}, counts(t, j)); diff != "" {
		t.Error(diff)
	}
	_, err = j.Begin(Plan{}, nil, later)
	must(t, err)
	if diff := cmp.Diff(Counts{}, counts(t, j)); diff != "" {
		t.Error(diff)
	}
}

func TestBeginRefusesImpossibleSteps(t *testing.T) {
	j, _ := newJournal(t)
	if _, err := j.Begin(Plan{Steps: []Step{send("a", file(1)), {Action: Send}}}, nil, noon); err == nil {
		t.Error("an impossible step was accepted")
	}
	if n := counts(t, j); n != (Counts{}) {
		t.Errorf("counts %+v", n)
	}
	if _, err := j.Begin(Plan{Refresh: []Refresh{{Path: "a", Entry: file(1)}, {Path: "../b", Entry: file(2)}}}, nil, noon); err == nil {
		t.Error("a path outside was accepted")
	}
	if _, err := j.Begin(Plan{Refresh: []Refresh{{Path: "a", Entry: &snapshot.Entry{}}}}, nil, noon); err == nil {
		t.Error("an impossible entry was accepted")
	}
	if len(tree(t, j)) != 0 {
		t.Errorf("base %v", tree(t, j))
	}
}

// A run over an unchanged tree writes nothing but the time of the run.
func TestCycleOfNothing(t *testing.T) {
	j, path := newJournal(t)
	run(t, j, send("a", file(1)))
	must(t, j.Close())
	j = mustOpen(t, path)
	before := changes(t, j)
	cycle, err := j.Begin(Plan{}, nil, noon)
	must(t, err)
	if n := changes(t, j) - before; cycle != 0 || n != 0 {
		t.Errorf("cycle %d, %d rows changed", cycle, n)
	}
	later := noon.Add(time.Hour)
	must(t, j.Finish(cycle, CycleResult{Outcome: OutcomeIdle}, &Record{State: &EngineState{LastRun: later}, Settle: true}, later))
	if n := changes(t, j) - before; n != 1 {
		t.Errorf("%d rows changed", n)
	}
	s, err := j.State()
	must(t, err)
	if !s.LastRun.Equal(later) {
		t.Errorf("state %+v", s)
	}
	cycles, err := j.Cycles(10)
	must(t, err)
	if len(cycles) != 1 {
		t.Errorf("cycles %+v", cycles)
	}
	must(t, j.Close())
}

func TestAckRecordsHistory(t *testing.T) {
	j, _ := newJournal(t)
	run(t, j, send("dir/a", file(1)), send("b", file(2)))
	moved := Step{Action: Move, Reason: Renamed, From: "dir/a", Path: "dir/c", Old: file(1), New: file(1)}
	gone := remove("b", file(2))
	cycle, err := j.Begin(Plan{Steps: []Step{moved, gone}}, nil, noon)
	must(t, err)
	must(t, j.Ack([]Done{{Step: moved, Entry: file(1), At: noon}}))
	must(t, j.Ack([]Done{{Step: gone, At: noon}}))
	must(t, j.Finish(cycle, CycleResult{Outcome: "offline", Failed: 3, Held: 4, Sent: 99}, nil, noon))

	rows, err := j.History(HistoryQuery{Cycle: cycle})
	must(t, err)
	want := []HistoryRow{
		{ID: 3, Cycle: cycle, At: noon, Action: Move, Reason: Renamed, From: "dir/a", Path: "dir/c", Before: file(1), After: file(1)},
		{ID: 4, Cycle: cycle, At: noon, Action: Delete, Reason: Deleted, Path: "b", Before: file(2)},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	cycles, err := j.Cycles(1)
	must(t, err)
	if diff := cmp.Diff([]Cycle{{ID: cycle, Began: noon, Ended: noon, CycleResult: CycleResult{
		Moved: 1, Deleted: 1, Failed: 3, Held: 4, Outcome: "offline",
	}}}, cycles); diff != "" {
		t.Error(diff)
	}
	for _, q := range []struct {
		query HistoryQuery
		ids   []int64
	}{
		{HistoryQuery{}, []int64{1, 2, 3, 4}},
		{HistoryQuery{Newest: true, Limit: 2}, []int64{4, 3}},
		{HistoryQuery{Path: "dir"}, []int64{1, 3}},
		{HistoryQuery{Path: "dir/a"}, []int64{1, 3}},
		{HistoryQuery{Path: "di"}, nil},
		{HistoryQuery{Path: "b", Newest: true}, []int64{4, 2}},
		{HistoryQuery{Cycle: 1}, []int64{1, 2}},
		{HistoryQuery{AfterCycle: 1}, []int64{3, 4}},
		{HistoryQuery{UpToCycle: 1}, []int64{1, 2}},
		{HistoryQuery{AfterCycle: 2}, nil},
		{HistoryQuery{AfterCycle: 1, UpToCycle: 2, Path: "b"}, []int64{4}},
	} {
		rows, err := j.History(q.query)
		must(t, err)
		var ids []int64
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		if !cmp.Equal(ids, q.ids) {
			t.Errorf("%+v: rows %v, want %v", q.query, ids, q.ids)
		}
	}
}

// A group is acknowledged as a whole or not at all.
func TestAckIsOneTransaction(t *testing.T) {
	j, _ := newJournal(t)
	steps := []Step{send("a/b", file(1)), send("c", file(2))}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	for name, bad := range map[string]Done{
		"not pending":      {Step: Step{Seq: 99, Action: Send, How: Upload, Reason: New, Path: "x", New: file(1)}, Entry: file(1)},
		"impossible entry": {Step: steps[1], Entry: &snapshot.Entry{}},
		"impossible step":  {Step: Step{}, Entry: file(1)},
		"impossible path":  {Step: send("/x", file(1)), Entry: file(1)},
		"impossible name":  {Step: send("a/..", file(1)), Entry: file(1)},
		"twice":            {Step: steps[0], Entry: file(1)},
	} {
		if err := j.Ack([]Done{{Step: steps[0], Entry: file(1), At: noon}, bad}); err == nil {
			t.Errorf("%s: accepted", name)
		} else if errors.Is(err, ErrDamaged) {
			t.Errorf("%s: blamed on the file: %v", name, err)
		}
		if n := counts(t, j); n.Pending != 2 || len(tree(t, j)) != 0 {
			t.Errorf("%s: counts %+v, base %v", name, n, tree(t, j))
		}
		mustBeSound(t, j)
	}
	must(t, j.Ack([]Done{{Step: steps[0], Entry: file(1), At: noon}}))
	if len(tree(t, j)) != 2 {
		t.Errorf("base %v", tree(t, j))
	}
}

// After a crash the cycle that it ended is closed, with what was acknowledged, and a new one opened.
func TestInterruptedCycle(t *testing.T) {
	j, path := newJournal(t)
	steps := []Step{send("a", file(1)), send("b", file(2))}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	must(t, j.Ack([]Done{{Step: steps[0], Entry: file(1), At: noon}}))
	must(t, j.Close()) // without Finish

	j = mustOpen(t, path)
	later := noon.Add(time.Hour)
	_, err = j.Begin(Plan{Steps: steps[1:]}, nil, later)
	must(t, err)
	must(t, j.Close()) // again, and nothing was acknowledged

	j = mustOpen(t, path)
	defer j.Close()
	_, err = j.Begin(Plan{}, nil, later)
	must(t, err)
	cycles, err := j.Cycles(10)
	must(t, err)
	if diff := cmp.Diff([]Cycle{{ID: 1, Began: noon, Ended: noon, CycleResult: CycleResult{
		Sent: 1, UploadBytes: 1, Outcome: OutcomeInterrupted,
	}}}, cycles); diff != "" {
		t.Error(diff)
	}
	mustBeSound(t, j)
}

func TestTemps(t *testing.T) {
	j, path := newJournal(t)
	steps := []Step{
		send("a", file(1)), send("b", file(1)), send("c", file(1)), send("d", file(1)),
		{Action: Send, How: Touch, Reason: Mtime, Path: "e", New: file(1)},
		send("f", file(1)),
	}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	must(t, j.Claim(steps[4].Seq))
	must(t, j.Claim(steps[1].Seq)) // does not take back
	must(t, j.Ack([]Done{{Step: steps[0], Entry: file(1), At: noon}}))
	wantTemps(t, j)
	must(t, j.Close())

	j = mustOpen(t, path)
	defer j.Close()
	again := []Step{send("b", file(1)), send("f", file(1))}
	_, err = j.Begin(Plan{Steps: again}, nil, noon)
	must(t, err)
	wantTemps(t, j, "b", "c", "d")
	must(t, j.Ack([]Done{{Step: again[0], Entry: file(1), At: noon}}))
	wantTemps(t, j, "c", "d")
	must(t, j.ForgetTemps([]string{"d", "unknown"}))
	wantTemps(t, j, "c")
	_, err = j.Begin(Plan{}, nil, noon)
	must(t, err)
	wantTemps(t, j, "c")
	mustBeSound(t, j)
}

func wantTemps(t *testing.T, j *Journal, want ...string) {
	t.Helper()
	got, err := j.Temps()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFailures(t *testing.T) {
	j, _ := newJournal(t)
	steps := []Step{send("a", file(1)), send("b", file(1)), send("c", file(1))}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	later := noon.Add(time.Hour)
	must(t, j.Fail([]Failure{{"a", "quota", "full", noon}, {"b", "permission", "no", noon}, {"c\xff", "source", "?", noon}}))
	must(t, j.Fail([]Failure{{"a", "offline", "gone", later}}))
	rows, err := j.Failures(2)
	must(t, err)
	if diff := cmp.Diff([]FailureRow{
		{Failure: Failure{"a", "offline", "gone", later}, Tries: 2, First: noon, Last: later},
		{Failure: Failure{"b", "permission", "no", noon}, Tries: 1, First: noon, Last: noon},
	}, rows); diff != "" {
		t.Error(diff)
	}
	if n := counts(t, j); n.Failed != 3 || n.Pending != 3 {
		t.Errorf("counts %+v", n)
	}
	must(t, j.Ack([]Done{{Step: steps[1], Entry: file(1), At: noon}}))
	if n := counts(t, j); n.Failed != 2 {
		t.Errorf("b was acknowledged, but counts are %+v", n)
	}
	_, err = j.Begin(Plan{Steps: []Step{send("a", file(1))}}, nil, noon)
	must(t, err)
	rows, err = j.Failures(10)
	must(t, err)
	if len(rows) != 1 || rows[0].Path != "a" {
		t.Errorf("only a is planned, but failures are %+v", rows)
	}
}

func TestRetention(t *testing.T) {
	for name, c := range map[string]struct {
		retention Retention
		ids       []int64 // history
		cycles    int
	}{
		"all":           {Retention{}, []int64{1, 2, 3, 4, 5, 6}, 3},
		"rows":          {Retention{MaxRows: 3}, []int64{4, 5, 6}, 2},
		"rows of cycle": {Retention{MaxRows: 2}, []int64{5, 6}, 1},
		"age":           {Retention{MaxAge: 90 * time.Minute}, []int64{3, 4, 5, 6}, 2},
		"age of all":    {Retention{MaxAge: time.Nanosecond}, []int64{5, 6}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := newJournal(t)
			j.Retention(c.retention)
			for i := range 3 {
				at := noon.Add(time.Duration(i) * time.Hour)
				steps := []Step{send(fmt.Sprintf("a%d", i), file(1)), send(fmt.Sprintf("b%d", i), file(1))}
				cycle, err := j.Begin(Plan{Steps: steps}, nil, at)
				must(t, err)
				must(t, j.Ack([]Done{{steps[0], file(1), at}, {steps[1], file(1), at}}))
				must(t, j.Finish(cycle, CycleResult{}, nil, at))
				mustBeSound(t, j)
			}
			rows, err := j.History(HistoryQuery{})
			must(t, err)
			var ids []int64
			for _, r := range rows {
				ids = append(ids, r.ID)
			}
			cycles, err := j.Cycles(10)
			must(t, err)
			if !cmp.Equal(ids, c.ids) || len(cycles) != c.cycles {
				t.Errorf("rows %v of %d cycles, want %v of %d", ids, len(cycles), c.ids, c.cycles)
			}
			// A new row gets a new number, so that a notifier sees it.
			run(t, j, send("c", file(1)))
			if rows, _ := j.History(HistoryQuery{Newest: true, Limit: 1}); rows[0].ID != 7 {
				t.Errorf("the next row has the number %d", rows[0].ID)
			}
		})
	}
}

func TestState(t *testing.T) {
	j, path := newJournal(t)
	want := State{
		EngineState: EngineState{
			LastRun: noon.Add(2), LastSuccess: noon.Add(3), LastError: "no", LastErrorClass: "offline", Ended: noon.Add(4),
			Adopted: true, Identity: `{"dev":1}`, Mounts: Mounts{"a\xff": 1<<64 - 1, "": 3}, Caps: "{}", Places: "[]",
			EmptyDirs: true, Unflushed: "boot",
			Holds: Holds{HeldDigest: "h", HeldWhy: "why", HeldBase: 9, MountsHeld: 3, MountsWhy: "gone"},
			Burst: Burst{Files: 4, Last: noon.Add(5)},
		},
		CommandState: CommandState{Options: "[]"},
		ProcessState: ProcessState{Started: noon.Add(1), PID: 42, Phase: "scanning", PhaseSince: noon},
		Decisions: Decisions{Paused: true, ApprovedDigest: "d", NewSourceApproved: true, NewRemoteApproved: true,
			LastApproval: Approval{By: "ann", At: noon.Add(6), Deletes: 7}},
	}
	mustHaveNoZero(t, want)
	got, err := j.State()
	must(t, err)
	if diff := cmp.Diff(State{}, got); diff != "" {
		t.Error(diff)
	}
	must(t, j.Remember(&Record{State: &want.EngineState}, noon))
	must(t, Update(j, func(s *CommandState) { *s = want.CommandState }))
	must(t, Update(j, func(s *ProcessState) { *s = want.ProcessState }))
	must(t, Update(j, func(d *Decisions) { *d = want.Decisions }))
	must(t, j.Close())
	j = mustOpen(t, path)
	defer j.Close()
	got, err = j.State()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	before := changes(t, j)
	must(t, Update(j, func(s *ProcessState) { s.Phase = "scanning" }))
	must(t, j.Remember(&Record{State: &got.EngineState}, noon))
	must(t, Update(j, func(s *EngineState) {}))
	if n := changes(t, j) - before; n != 0 {
		t.Errorf("%d rows written although nothing differs", n)
	}
	must(t, Update(j, func(s *EngineState) { delete(s.Mounts, ""); s.Ended = time.Time{} }))
	got, err = j.State()
	must(t, err)
	delete(want.Mounts, "")
	want.Ended = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := changes(t, j) - before; n != 1 {
		t.Errorf("%d rows written, want one document", n)
	}
}

// mustHaveNoZero sees to it that a test of all fields is one.
func mustHaveNoZero(t *testing.T, s State) {
	t.Helper()
	docs := reflect.ValueOf(s)
	for i := range docs.NumField() {
		for n := range docs.Field(i).NumField() {
			if docs.Field(i).Field(n).IsZero() {
				t.Fatalf("%s is zero", docs.Field(i).Type().Field(n).Name)
			}
		}
	}
}

// What is used up of a person's decisions is taken back, and what was decided meanwhile is not.
func TestRecordUsed(t *testing.T) {
	all := Decisions{Paused: true, ApprovedDigest: "h", NewSourceApproved: true, NewRemoteApproved: true}
	for _, c := range []struct{ used, want Decisions }{
		{Decisions{}, all},
		{Decisions{ApprovedDigest: "h"}, Decisions{Paused: true, NewSourceApproved: true, NewRemoteApproved: true}},
		{Decisions{ApprovedDigest: "an earlier one", NewSourceApproved: true}, Decisions{Paused: true, ApprovedDigest: "h", NewRemoteApproved: true}},
		{Decisions{NewRemoteApproved: true}, Decisions{Paused: true, ApprovedDigest: "h", NewSourceApproved: true}},
	} {
		j, _ := newJournal(t)
		must(t, Update(j, func(d *Decisions) { *d = all }))
		must(t, j.Remember(&Record{Used: c.used}, noon))
		if got, err := j.State(); err != nil || got.Decisions != c.want {
			t.Errorf("used %+v: left %+v, %v", c.used, got.Decisions, err)
		}
	}
}

// What changes a document may ask what the others say.
func TestUpdateReads(t *testing.T) {
	j, _ := newJournal(t)
	must(t, Update(j, func(s *EngineState) { s.HeldDigest = "h" }))
	must(t, Update(j, func(d *Decisions) {
		state, err := j.State()
		must(t, err)
		d.ApprovedDigest = state.HeldDigest
	}))
	if s, err := j.State(); err != nil || s.ApprovedDigest != "h" {
		t.Errorf("state %+v, %v", s, err)
	}
}

// A document with anything that is not known is damage: it may be a name with a flipped bit.
func TestDamagedDocument(t *testing.T) {
	for text, found := range map[string]string{
		`{"identitx":"{}"}`:        "identitx",
		`{"mounts":{"zz":1}}`:      "zz",
		`{"mounts":{"61":-1}}`:     "-1",
		`{"adopted":1}`:            "adopted",
		`{"last_run":"noon"}`:      "noon",
		`{"adopted":true}{}`:       "follows",
		`{"adopted":true`:          "EOF",
		`not a document`:           "invalid",
		`{"paused":true}`:          "paused",
		`{"held_base":1e99999999}`: "held_base",
	} {
		j, path := newJournal(t)
		must(t, Update(j, func(s *EngineState) { s.Identity = "{}" }))
		must(t, j.Close())
		spoil(t, path, "UPDATE document SET json = '"+text+"'")
		j = mustOpen(t, path)
		_, err := j.State()
		wantError(t, err, ErrDamaged, "document engine", found)
		wantError(t, Update(j, func(*EngineState) {}), ErrDamaged, "document engine")
		violations, err := j.Check(t.Context())
		if err != nil || len(violations) != 1 || !strings.Contains(violations[0], found) {
			t.Errorf("%s: found %q, %v", text, violations, err)
		}
		must(t, j.Close())
	}
}

// changes counts the rows that the writer has written so far.
func changes(t *testing.T, j *Journal) (n int64) {
	t.Helper()
	must(t, j.db.Write("count changes", func(t *database.Tx) (err error) {
		n, err = t.Int("SELECT total_changes()")
		return err
	}))
	return n
}

func TestEachPending(t *testing.T) {
	j, _ := newJournal(t)
	var steps []Step
	for i := range 2*pendingPage + 1 {
		steps = append(steps, send(fmt.Sprintf("f%04d", i), file(1)))
	}
	_, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	for _, n := range []int{0, 1, pendingPage, 2 * pendingPage, len(steps)} {
		after := int64(0)
		if n > 0 {
			after = steps[n-1].Seq
		}
		var got []Step
		for s, err := range j.EachPending(after) {
			must(t, err)
			got = append(got, *s)
		}
		if diff := cmp.Diff(steps[n:], got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after %d: %s", n, diff)
		}
	}
	for s, err := range j.EachPending(0) {
		must(t, err)
		if s.Path == "f0000" {
			break // and nothing more is read
		}
		t.Errorf("first is %q", s.Path)
	}
}

// What a plan was made from is remembered with the plan, or not at all.
func TestPlanAndRecordAreOne(t *testing.T) {
	steps := []Step{send("a", file(1))}
	nowhere := func(string) bool { return false }
	for name, write := range map[string]func(*Journal, Plan, *Record) (int64, error){
		"begin":  func(j *Journal, p Plan, r *Record) (int64, error) { return j.Begin(p, r, noon) },
		"extend": func(j *Journal, p Plan, r *Record) (int64, error) { return j.Extend(p, r, noon) },
		"amend":  func(j *Journal, p Plan, r *Record) (int64, error) { return j.Amend(p, r, nil, nowhere, noon) },
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := newJournal(t)
			approved := Decisions{ApprovedDigest: "h", NewSourceApproved: true}
			must(t, Update(j, func(d *Decisions) { *d = approved }))
			twice := Refresh{Path: "../no", Entry: file(1)}
			r := &Record{State: &EngineState{Identity: "{}"}, Used: approved}
			if _, err := write(j, Plan{Steps: steps, Refresh: []Refresh{twice}}, r); err == nil {
				t.Fatal("an impossible path was accepted")
			}
			s, err := j.State()
			must(t, err)
			if s.Identity != "" || s.Decisions != approved {
				t.Errorf("the plan failed, and the state is %+v", s)
			}
			if _, err := write(j, Plan{Steps: steps}, r); err != nil {
				t.Fatal(err)
			}
			s, err = j.State()
			must(t, err)
			if s.Identity != "{}" || s.Decisions != (Decisions{}) {
				t.Errorf("the plan is there, and the state is %+v", s)
			}
		})
		t.Run(name+" nothing", func(t *testing.T) {
			j, _ := newJournal(t)
			before := changes(t, j)
			if cycle, err := write(j, Plan{}, &Record{State: &EngineState{Identity: "{}"}}); err != nil || cycle != 0 {
				t.Fatalf("cycle %d, %v", cycle, err)
			}
			if s, err := j.State(); err != nil || s.Identity != "{}" || changes(t, j)-before != 1 {
				t.Errorf("%d rows changed, state %+v, %v", changes(t, j)-before, s, err)
			}
		})
	}
}
