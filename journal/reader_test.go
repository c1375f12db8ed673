package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

func children(t *testing.T, r snapshot.BaseReader, dir string) (names []string) {
	t.Helper()
	must(t, r.Open(dir))
	for {
		name, e, err := r.Next()
		must(t, err)
		if name == nil {
			return names
		}
		if e.Validate() != nil {
			t.Errorf("entry %+v", e)
		}
		names = append(names, string(name))
	}
}

func openReader(t *testing.T, j *Journal) snapshot.BaseReader {
	t.Helper()
	r, err := j.Reader()
	must(t, err)
	return r
}

func TestReader(t *testing.T) {
	j, _ := newJournal(t)
	long := strings.Repeat("n", 255)
	for _, path := range []string{"b", "a/z", "a/\xff", "a/B", "a/" + long, "a/\u00e4", "a-/x", "a/s/t", "'\n"} {
		run(t, j, send(path, file(1)))
	}
	run(t, j, send("a/r", &snapshot.Entry{Kind: snapshot.File, Flags: snapshot.Retained}))
	r := openReader(t, j)
	for dir, want := range map[string][]string{
		"":       {"'\n", "a", "a-", "b"},
		"a":      {"B", long, "r", "s", "z", "\u00e4", "\xff"},
		"a-":     {"x"},
		"a/s":    {"t"},
		"b":      nil,
		"absent": nil,
	} {
		if got := children(t, r, dir); !cmp.Equal(got, want) {
			t.Errorf("%q: %q, want %q", dir, got, want)
		}
	}
	must(t, r.Open("a"))
	_, _, err := r.Next()
	must(t, err)
	if got := children(t, r, "a-"); !cmp.Equal(got, []string{"x"}) {
		t.Errorf("opened in the middle of another directory: %q", got)
	}
	if name, _, err := r.Next(); name != nil || err != nil {
		t.Errorf("after the end: %q, %v", name, err)
	}
	must(t, r.Close())
	must(t, r.Close())
	if err := r.Open(""); !errors.Is(err, database.ErrClosed) {
		t.Errorf("opened after close: %v", err)
	}
	if _, err := r.Find("", "b"); !errors.Is(err, database.ErrClosed) {
		t.Errorf("found after close: %v", err)
	}
}

func TestReaderFinds(t *testing.T) {
	j, _ := newJournal(t)
	paths := []string{"b", "a/z", "a/\xff", "a/B", "a/" + strings.Repeat("n", 255), "a-/x", "'\n"}
	for i, path := range paths {
		run(t, j, send(path, file(int64(i))))
	}
	run(t, j, send("a/r", &snapshot.Entry{Kind: snapshot.File, Flags: snapshot.Retained}))
	r := openReader(t, j)
	defer r.Close()
	for i, path := range paths {
		e, err := r.Find(snapshot.Split(path))
		must(t, err)
		if e == nil || e.Size != int64(i) {
			t.Errorf("%q: %+v, want size %d", path, e, i)
		}
	}
	if e, err := r.Find("a", "r"); err != nil || e == nil || e.Flags != snapshot.Retained {
		t.Errorf("a retained entry: %+v, %v", e, err)
	}
	if e, err := r.Find("", "a"); err != nil || e == nil || e.Kind != snapshot.Dir {
		t.Errorf("a directory: %+v, %v", e, err)
	}
	for _, path := range []string{"a/b", "A/z", "absent/z", "a/z/z", "", "a/", "a/z\x00"} {
		if e, err := r.Find(snapshot.Split(path)); e != nil || err != nil {
			t.Errorf("%q: %+v, %v", path, e, err)
		}
	}
	// It does not move the cursor, and shows the same state.
	must(t, r.Open(""))
	run(t, j, send("c", file(1)), remove("a/z", file(1)))
	var names []string
	for {
		name, _, err := r.Next()
		must(t, err)
		if name == nil {
			break
		}
		names = append(names, string(name))
		if e, err := r.Find("a", "z"); err != nil || e == nil {
			t.Errorf("removed since: %+v, %v", e, err)
		}
		if e, err := r.Find("", "c"); err != nil || e != nil {
			t.Errorf("added since: %+v, %v", e, err)
		}
	}
	if want := []string{"'\n", "a", "a-", "b"}; !cmp.Equal(names, want) {
		t.Errorf("children %q, want %q", names, want)
	}
	if n := testing.AllocsPerRun(100, func() { r.Find("a", "B") }); n > 8 {
		t.Errorf("%v allocations to find a row", n)
	}
}

func TestReaderFindsDamage(t *testing.T) {
	j, _ := newJournal(t)
	run(t, j, send("a", file(1)))
	must(t, execute(j, "UPDATE base SET entry = CAST(entry || x'01' AS BLOB)"))
	r := openReader(t, j)
	defer func() {
		must(t, r.Close())
		must(t, execute(j, "UPDATE base SET entry = CAST(substr(entry, 1, 64) AS BLOB)"))
	}()
	if e, err := r.Find("", "a"); e != nil || !errors.Is(err, ErrDamaged) {
		t.Errorf("found %+v, %v", e, err)
	}
	if e, err := r.Find("", "b"); e != nil || err != nil {
		t.Errorf("after the damage: %+v, %v", e, err)
	}
}

// A cursor shows one state while the writer goes on, and a second one that would show another is
// refused until the first is closed.
func TestReaderSeesOneState(t *testing.T) {
	j, _ := newJournal(t)
	run(t, j, send("a/1", file(1)))
	first, second := openReader(t, j), openReader(t, j)
	run(t, j, send("a/2", file(1)), remove("a/1", file(1)))
	must(t, Update(j, func(s *ProcessState) { s.Phase = "scanning" }))
	for _, r := range []snapshot.BaseReader{first, second} {
		if got := children(t, r, "a"); !cmp.Equal(got, []string{"1"}) {
			t.Errorf("children %q", got)
		}
	}
	if _, err := j.Reader(); !errors.Is(err, database.ErrStale) {
		t.Errorf("a cursor on another state: %v", err)
	}
	must(t, first.Close())
	must(t, second.Close())
	third := openReader(t, j)
	defer third.Close()
	if got := children(t, third, "a"); !cmp.Equal(got, []string{"2"}) {
		t.Errorf("children %q", got)
	}
	must(t, Update(j, func(s *ProcessState) { s.Phase = "syncing" }))
	fourth := openReader(t, j) // the base is the same
	must(t, fourth.Close())
}

// Cursors that start while the writer commits are on one side of each commit.
func TestReaderDuringWrites(t *testing.T) {
	j, _ := newJournal(t)
	const files = 50
	write := func(round int) {
		var fixes []Refresh
		for i := range files {
			fixes = append(fixes, Refresh{Path: fmt.Sprintf("d/%d", i), Entry: file(int64(round))})
		}
		must(t, j.Repair(fixes))
	}
	write(0)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = readOneState(j)
		}
		ended <- err
	}()
	for round := range 30 {
		write(round + 1)
	}
	stop()
	must(t, <-ended)
}

func readOneState(j *Journal) error {
	r, err := j.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Open("d"); err != nil {
		return err
	}
	for first := int64(-1); ; {
		name, e, err := r.Next()
		if err != nil || name == nil {
			return err
		}
		if first < 0 {
			first = e.Size
		}
		if e.Size != first {
			return fmt.Errorf("%q is of round %d, its elder of round %d", name, e.Size, first)
		}
	}
}

func TestReaderAllocatesNothing(t *testing.T) {
	j, _ := newJournal(t)
	var fixes []Refresh
	for i := range 1000 {
		fixes = append(fixes, Refresh{Path: fmt.Sprintf("d/%d", i), Entry: file(1)})
	}
	must(t, j.Repair(fixes))
	r := openReader(t, j)
	defer r.Close()
	if n := testing.AllocsPerRun(5, func() { readDir(t, r, "d") }); n > 20 {
		t.Errorf("%v allocations for 1000 rows", n)
	}
}

func TestCloseComplainsAboutOpenCursors(t *testing.T) {
	j, _ := newJournal(t)
	r := openReader(t, j)
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "1 cursor") {
		t.Errorf("close: %v", err)
	}
	must(t, r.Close())
}

func TestLookupAndTotals(t *testing.T) {
	j, _ := newJournal(t)
	run(t, j, send("d/a\xff", hashed(5, 1)), send("d/b", &snapshot.Entry{Kind: snapshot.Symlink, Size: 7}))
	must(t, j.Repair([]Refresh{{Path: "d/r", Entry: &snapshot.Entry{Kind: snapshot.File, Size: 11, Flags: snapshot.Retained}}}))
	e, err := j.Lookup("d/a\xff")
	must(t, err)
	if diff := cmp.Diff(hashed(5, 1), e); diff != "" {
		t.Error(diff)
	}
	if e, err := j.Lookup("d/absent"); e != nil || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
	got, err := j.Totals()
	must(t, err)
	if want := (Totals{Files: 2, Bytes: 12, Dirs: 1, Retained: 1, RetainedBytes: 11}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
}

func TestAdopt(t *testing.T) {
	j, _ := newJournal(t)
	run(t, j, send("old/x", hashed(1, 1)))
	broken := classless{errors.New("listing broke")}
	err := j.Adopt(t.Context(), func(add func(string, snapshot.Entry) error) error {
		must(t, add("new", *file(1)))
		return broken
	})
	if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if err := j.Walk(t.Context(), func(string, *snapshot.Entry) error { return broken }); !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = j.Adopt(ctx, func(add func(string, snapshot.Entry) error) error { return add("new", *file(1)) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s, _ := j.State(); s.Adopted || len(tree(t, j)) != 2 {
		t.Errorf("after a failed listing: state %+v, base %v", s, tree(t, j))
	}

	must(t, j.Adopt(t.Context(), func(add func(string, snapshot.Entry) error) error {
		for _, p := range []struct {
			path string
			e    *snapshot.Entry
		}{
			{"a/b/c", file(3)}, {"a", file(1)}, // a file beside a directory, found later
			{"f", file(2)}, {"f/g", file(4)}, // and found earlier
			{"a/b", directory()}, {"e", directory()},
		} {
			if err := add(p.path, *p.e); err != nil {
				return err
			}
		}
		return nil
	}))
	if got, want := formatBase(t, j), "\"a\" dir\n\"e\" dir\n\"f\" dir\n\"a/b\" dir\n\"a/b/c\" file 3\n\"f/g\" file 4\n"; got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if s, _ := j.State(); !s.Adopted {
		t.Error("not marked as adopted")
	}
}

// classless looks to errors.As like an error of SQLite.
type classless struct{ error }

func (classless) As(any) bool { return false }

func TestContents(t *testing.T) {
	j, path := newJournal(t)
	if sizes, err := j.Sizes([]int64{1, 2}); err != nil || len(sizes) != 0 {
		t.Errorf("empty base: %v, %v", sizes, err)
	}
	retained := hashed(3, 3)
	retained.Flags = snapshot.Retained
	link := hashed(4, 4)
	link.Kind = snapshot.Symlink
	md5 := hashed(5, 5)
	md5.HashType, _ = snapshot.ParseHashType("md5")
	run(t, j, send("b/x", hashed(1, 1)), send("a/x", hashed(1, 1)), send("c", hashed(1, 2)), send("r", retained),
		send("l", link), send("m", md5), send("n", file(6)))
	must(t, j.Close())

	ro, err := OpenReadOnly(path)
	must(t, err)
	wantContents(t, ro) // by reading
	must(t, ro.Close())
	j = mustOpen(t, path)
	wantContents(t, j) // by an index
	run(t, j, remove("a/x", nil))
	if path, _, _ := j.Holding(1, snapshot.Hash{1}); path != "b/x" {
		t.Errorf("after a delete: %q", path)
	}
	mustBeSound(t, j)
	must(t, j.Close())
	ro, err = OpenReadOnly(path)
	must(t, err)
	if path, _, _ := ro.Holding(1, snapshot.Hash{1}); path != "b/x" {
		t.Errorf("after a delete: %q", path)
	}
	must(t, ro.Close())
}

func wantContents(t *testing.T, j *Journal) {
	t.Helper()
	sizes, err := j.Sizes([]int64{0, 1, 2, 3, 4, 5, 6, -1, 1})
	must(t, err)
	if diff := cmp.Diff(map[int64]bool{1: true, 3: true}, sizes); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		size int64
		hash byte
		path string
	}{{1, 1, "a/x"}, {1, 2, "c"}, {3, 3, "r"}, {1, 3, ""}, {3, 1, ""}, {4, 4, ""}, {5, 5, ""}, {-1, 1, ""}} {
		path, ok, err := j.Holding(c.size, snapshot.Hash{c.hash})
		must(t, err)
		if path != c.path || ok != (c.path != "") {
			t.Errorf("size %d, hash %d: %q, %v, want %q", c.size, c.hash, path, ok, c.path)
		}
	}
}
