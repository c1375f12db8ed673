package journal

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/snapshot"
)

// model is what a journal must be, in the plainest terms: maps.
type model struct {
	base    map[string]snapshot.Entry
	pending []Step
	since   map[string]time.Time
	failed  map[string]int64
	temps   map[string]bool
	claimed int64
	history int
	now     time.Time
}

// Names that sort, prefix and encode in ways that matter to SQL.
var modelNames = []string{"a", "a-", "a0", "b", "\xff", "%"}

func anyPath(t *rapid.T) string {
	path := rapid.SampledFrom(modelNames).Draw(t, "name")
	for range rapid.IntRange(0, 2).Draw(t, "depth") {
		path += "/" + rapid.SampledFrom(modelNames).Draw(t, "name")
	}
	return path
}

func (m *model) put(path string, e *snapshot.Entry) {
	if e == nil {
		m.remove(path)
		return
	}
	if was, ok := m.base[path]; ok && was.Kind == snapshot.Dir && e.Kind != snapshot.Dir {
		for p := range m.base {
			if snapshot.Beneath(p, path) {
				delete(m.base, p)
			}
		}
	}
	m.base[path] = *e
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if _, ok := m.base[dir]; !ok {
			m.base[dir] = snapshot.Entry{Kind: snapshot.Dir}
		}
	}
}

func (m *model) remove(path string) {
	e, ok := m.base[path]
	if !ok {
		return
	}
	for p := range m.base {
		if snapshot.Beneath(p, path) {
			if e.Kind != snapshot.Dir {
				m.base[path] = snapshot.Entry{Kind: snapshot.Dir}
			}
			return
		}
	}
	delete(m.base, path)
}

func (m *model) move(s *Step, e *snapshot.Entry) {
	if s.Dir {
		moved := make(map[string]snapshot.Entry)
		for p, e := range m.base {
			switch {
			case snapshot.Beneath(p, s.From):
				moved[s.Path+p[len(s.From):]] = e
			case snapshot.Beneath(p, s.Path):
			default:
				moved[p] = e
			}
		}
		m.base = moved
	}
	m.remove(s.From)
	m.put(s.Path, e)
}

func (m *model) ack(d *Done) {
	if d.Step.Action == Move {
		m.move(&d.Step, d.Entry)
	} else {
		m.put(d.Step.Path, d.Entry)
	}
	m.pending = slices.DeleteFunc(m.pending, func(s Step) bool { return s.Seq == d.Step.Seq })
	delete(m.failed, d.Step.Path)
	if d.Step.How == Upload {
		delete(m.temps, d.Step.Path)
	}
	m.history++
}

func (m *model) begin(p *Plan) {
	for _, r := range p.Refresh {
		if r.Entry != nil {
			m.put(r.Path, r.Entry)
		}
	}
	gone := slices.DeleteFunc(slices.Clone(p.Refresh), func(r Refresh) bool { return r.Entry != nil })
	slices.SortFunc(gone, func(a, b Refresh) int { return snapshot.ComparePaths(b.Path, a.Path) })
	for _, r := range gone {
		m.remove(r.Path)
	}
	since, failed := make(map[string]time.Time), make(map[string]int64)
	for _, s := range m.pending {
		if s.Seq <= m.claimed && s.Action == Send && s.How == Upload {
			m.temps[s.Path] = true
		}
	}
	for _, s := range p.Steps {
		since[s.Path] = m.now
		if was, ok := m.since[s.Path]; ok && slices.ContainsFunc(m.pending, func(o Step) bool { return o.Path == s.Path }) {
			since[s.Path] = was
		}
		if n, ok := m.failed[s.Path]; ok {
			failed[s.Path] = n
		}
	}
	m.since, m.failed, m.pending = since, failed, slices.Clone(p.Steps)
}

func (m *model) counts() Counts {
	var n Counts
	for _, s := range m.pending {
		if s.Held {
			n.Held++
		} else {
			n.Pending++
		}
		if at := m.since[s.Path]; n.Oldest.IsZero() || at.Before(n.Oldest) {
			n.Oldest = at
		}
	}
	n.Failed = int64(len(m.failed))
	return n
}

func (m *model) totals() Totals {
	var sum Totals
	for _, e := range m.base {
		switch retained := e.Flags.Has(snapshot.Retained); {
		case e.Kind == snapshot.Dir && !retained:
			sum.Dirs++
		case e.Kind != snapshot.Dir && retained:
			sum.Retained++
			sum.RetainedBytes += e.Size
		case e.Kind != snapshot.Dir:
			sum.Files++
			sum.Bytes += e.Size
		}
	}
	return sum
}

// modelEntry draws an entry of a size that a sum can hold many of.
func modelEntry(t *rapid.T) *snapshot.Entry {
	e := &snapshot.Entry{
		Kind:  snapshot.Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
		Flags: snapshot.Flags(rapid.IntRange(0, 7).Draw(t, "flags")),
		Mode:  rapid.Uint32().Draw(t, "mode"),
		Size:  rapid.Int64Range(0, 1<<43).Draw(t, "size"),
		Mtime: rapid.Int64().Draw(t, "mtime"),
	}
	if e.HashType = snapshot.HashType(rapid.IntRange(0, 14).Draw(t, "hash type")); e.HashType != snapshot.NoHash {
		copy(e.Hash[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "hash"))
	}
	return e
}

// anyStep draws a step that the remote could confirm for this base: a directory is moved only to
// where nothing is, and not into itself. Paths of a plan are unique, as the planner's are.
func anyStep(t *rapid.T, m *model, used map[string]bool) (s Step, ok bool) {
	path, e := anyPath(t), modelEntry(t)
	e.Kind = snapshot.File
	s = Step{Path: path, Reason: Modified, Held: rapid.IntRange(0, 5).Draw(t, "held") == 0}
	switch kind := rapid.IntRange(0, 4).Draw(t, "step"); kind {
	case 0, 1:
		s.Action, s.How, s.New = Send, Upload, e
		if kind == 1 {
			s.How = Touch
		}
		if was, there := m.base[path]; there && rapid.Bool().Draw(t, "planned with its old entry") {
			s.Old = &was
		}
	case 2:
		s.Action = Delete
	default:
		s.Action, s.From, s.Old, s.New = Move, anyPath(t), e, e
		if s.From == path || snapshot.Beneath(path, s.From) || snapshot.Beneath(s.From, path) {
			return s, false
		}
		if s.Dir = kind == 4; s.Dir {
			s.New = &snapshot.Entry{Kind: snapshot.Dir, Ino: e.Ino}
		}
	}
	if used[s.Path] || used[s.From] || s.Validate() != nil {
		return s, false
	}
	used[s.Path], used[s.From] = true, s.From != ""
	return s, true
}

func anyPlan(t *rapid.T, m *model) Plan {
	var p Plan
	used := make(map[string]bool)
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		if s, ok := anyStep(t, m, used); ok {
			p.Steps = append(p.Steps, s)
		}
	}
	refreshed := make(map[string]bool)
	for range rapid.IntRange(0, 3).Draw(t, "refreshes") {
		r := Refresh{Path: anyPath(t)}
		if rapid.Bool().Draw(t, "known") {
			r.Entry = modelEntry(t)
		}
		if !refreshed[r.Path] {
			refreshed[r.Path] = true
			p.Refresh = append(p.Refresh, r)
		}
	}
	return p
}

// TestJournalIsItsModel draws plans, acknowledgements, failures, claims and reopenings, and compares
// everything that can be read with the model after each.
func TestJournalIsItsModel(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", runs))
		j := openUnsynced(t, path)
		defer func() { j.Close() }()
		m := &model{base: map[string]snapshot.Entry{}, temps: map[string]bool{}, now: noon}
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				m.now = m.now.Add(time.Second)
				p := anyPlan(t, m)
				_, err := j.Begin(p, nil, m.now)
				check(err)
				m.begin(&p)
			},
			"ack": func(t *rapid.T) {
				n := rapid.IntRange(0, len(m.pending)).Draw(t, "group")
				var group []Done
				for _, i := range slices.Sorted(slices.Values(rapid.Permutation(indexes(len(m.pending))).Draw(t, "which")[:n])) {
					group = append(group, Done{Step: m.pending[i], Entry: m.pending[i].New, At: m.now})
				}
				check(j.Ack(group))
				for i := range group {
					m.ack(&group[i])
				}
			},
			"fail": func(t *rapid.T) {
				if len(m.pending) == 0 {
					return
				}
				path := rapid.SampledFrom(m.pending).Draw(t, "step").Path
				check(j.Fail([]Failure{{path, "class", "message", m.now}}))
				if m.failed == nil {
					m.failed = map[string]int64{}
				}
				m.failed[path]++
			},
			"claim": func(t *rapid.T) {
				if len(m.pending) == 0 {
					return
				}
				seq := rapid.SampledFrom(m.pending).Draw(t, "step").Seq
				check(j.Claim(seq))
				m.claimed = max(m.claimed, seq)
			},
			"reopen": func(t *rapid.T) {
				check(j.Close())
				j = openUnsynced(t, path)
			},
			"contents": func(t *rapid.T) { // with the index from now on
				_, err := j.Sizes([]int64{1})
				check(err)
			},
			"": func(t *rapid.T) { compare(t, j, m) },
		})
	})
}

// openUnsynced opens a journal that does not wait for the disk: nothing crashes here.
func openUnsynced(t *rapid.T, path string) *Journal {
	j, err := Open(path, testMapping)
	if err == nil {
		err = execute(j, "COMMIT", "PRAGMA synchronous = OFF", "BEGIN")
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func compare(t *rapid.T, j *Journal, m *model) {
	base := make(map[string]snapshot.Entry)
	if err := j.Walk(t.Context(), func(path string, e *snapshot.Entry) error {
		base[path] = *e
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	steps, err := j.Pending(0, 1000)
	counts, err2 := j.Counts()
	totals, err3 := j.Totals()
	temps, err4 := j.Temps()
	failures, err5 := j.Failures(100)
	history, err6 := j.History(HistoryQuery{})
	violations, err7 := j.Check(t.Context())
	for _, err := range []error{err, err2, err3, err4, err5, err6, err7} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tries := make(map[string]int64)
	for _, f := range failures {
		tries[f.Path] = f.Tries
	}
	for _, diff := range []string{
		cmp.Diff(m.base, base),
		cmp.Diff(append([]Step{}, m.pending...), append([]Step{}, steps...)),
		cmp.Diff(m.counts(), counts),
		cmp.Diff(m.totals(), totals),
		cmp.Diff(append([]string{}, slices.Sorted(maps.Keys(m.temps))...), append([]string{}, temps...)),
		cmp.Diff(maps.Collect(maps.All(m.failed)), tries),
		cmp.Diff(m.history, len(history)),
	} {
		if diff != "" {
			t.Fatal(diff)
		}
	}
	// The steps here are not a planner's: a file may come to lie beneath a file.
	violations = slices.DeleteFunc(violations, func(v string) bool {
		return strings.HasSuffix(v, "which is a file.") || strings.HasSuffix(v, "which is a symlink.")
	})
	if len(violations) > 0 {
		t.Fatal(violations)
	}
}
