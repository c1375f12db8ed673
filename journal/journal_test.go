package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

var testMapping = Mapping{Source: "/src", Remote: "dst:"}

// noon is the time of tests.
var noon = time.Unix(1_700_000_000, 123)

// newJournal returns an open journal and its path. At the end of the test it must be sound.
func newJournal(t testing.TB) (*Journal, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := mustOpen(t, path)
	t.Cleanup(func() {
		if errors.Is(execute(j), database.ErrClosed) {
			return // by the test
		}
		mustBeSound(t, j)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j, path
}

// execute runs statements on the connection that writes.
func execute(j *Journal, texts ...string) error {
	return j.db.Write("test", func(t *database.Tx) error {
		for _, text := range texts {
			if err := t.Exec(text); err != nil {
				return err
			}
		}
		return nil
	})
}

func mustOpen(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(path, testMapping)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func mustBeSound(t testing.TB, j *Journal) {
	t.Helper()
	found, err := j.Check(context.Background()) // the test's own is done when it cleans up
	if err != nil {
		t.Error(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func file(size int64) *snapshot.Entry {
	return &snapshot.Entry{Kind: snapshot.File, Size: size, Mtime: noon.UnixNano(), Mode: 0o644}
}

func hashed(size int64, b byte) *snapshot.Entry {
	e := file(size)
	e.HashType, e.Hash = snapshot.XXH3, snapshot.Hash{b}
	return e
}

func directory() *snapshot.Entry { return &snapshot.Entry{Kind: snapshot.Dir, Ino: 7} }

func send(path string, e *snapshot.Entry) Step {
	return Step{Action: Send, How: Upload, Reason: New, Path: path, New: e}
}

func remove(path string, e *snapshot.Entry) Step {
	return Step{Action: Delete, Reason: Deleted, Path: path, Old: e}
}

// run plans and acknowledges steps as one cycle.
func run(t testing.TB, j *Journal, steps ...Step) {
	t.Helper()
	cycle, err := j.Begin(Plan{Steps: steps}, nil, noon)
	must(t, err)
	var done []Done
	for _, s := range steps {
		done = append(done, Done{Step: s, Entry: s.New, At: noon})
	}
	must(t, j.Ack(done))
	must(t, j.Finish(cycle, CycleResult{Outcome: OutcomeIdle}, nil, noon))
}

// tree is the base as a map.
func tree(t testing.TB, j *Journal) map[string]snapshot.Entry {
	t.Helper()
	m := make(map[string]snapshot.Entry)
	must(t, j.Walk(t.Context(), func(path string, e *snapshot.Entry) error {
		m[path] = *e
		return nil
	}))
	return m
}

// spoil changes the database behind the journal's back.
func spoil(t testing.TB, path, sql string) {
	t.Helper()
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	must(t, err)
	err = sqlitex.ExecuteScript(c, sql, nil)
	must(t, errors.Join(err, c.Close()))
}

func TestOpenKeepsEverything(t *testing.T) {
	j, path := newJournal(t)
	run(t, j, send("a/b/c", hashed(3, 1)), send("d", file(4)))
	want := tree(t, j)
	must(t, j.Close())
	j = mustOpen(t, path)
	defer j.Close()
	if diff := cmp.Diff(want, tree(t, j)); diff != "" {
		t.Error(diff)
	}
	mustBeSound(t, j)
	if len(want) != 4 {
		t.Errorf("base holds %d rows, want 4: two files and the directories of one", len(want))
	}
	if j.Mapping() != testMapping {
		t.Errorf("mapping %v", j.Mapping())
	}
}

// Close does not wait for the disk: it leaves the log, for the next Open. One that has grown it folds in.
func TestCloseLeavesTheLog(t *testing.T) {
	j, path := newJournal(t)
	var ops int
	for n := range 3 { // whatever the last of them, each finds what those before have left
		run(t, j, send(fmt.Sprintf("a%d", n), file(1)))
		before := listing(t, filepath.Dir(path))
		must(t, j.Close())
		after := listing(t, filepath.Dir(path))
		if len(after) != 3 || before["journal.db"] != after["journal.db"] || before["journal.db-wal"] != after["journal.db-wal"] {
			t.Fatalf("files left: %d, or changed", len(after))
		}
		for name := range after {
			info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
			must(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v: names of files are private", name, info.Mode())
			}
		}
		j = mustOpen(t, path)
		mustBeSound(t, j)
		if ops++; len(tree(t, j)) != ops {
			t.Errorf("base %v", tree(t, j))
		}
	}
	var steps []Step
	for i := range 10_000 {
		steps = append(steps, send(fmt.Sprintf("b/%05d", i), file(1)))
	}
	run(t, j, steps...)
	must(t, j.Close())
	if got := listing(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("files left: %d", len(got))
	}
	j = mustOpen(t, path)
	defer j.Close()
	mustBeSound(t, j)
}

// A journal that nobody has read from is closed like any other.
func TestCloseUnread(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Close())
	j = mustOpen(t, path)
	must(t, Update(j, func(d *Decisions) { d.Paused = true }))
	must(t, j.Close())
	if got := listing(t, filepath.Dir(path)); len(got) != 3 {
		t.Errorf("files left: %d", len(got))
	}
}

// A bit that flips in the log takes away what was written last, and what is left is a journal as it was before. It is what a
// restored backup is, and what every run can go on from.
func TestDamagedLog(t *testing.T) {
	j, path := newJournal(t)
	for n := range 6 {
		run(t, j, send(fmt.Sprintf("a%d", n), file(1)))
	}
	must(t, j.Close())
	log, err := os.ReadFile(path + "-wal")
	must(t, err)
	states := make(map[int]bool)
	for at := 100; at < len(log); at += 7919 {
		damaged := slices.Clone(log)
		damaged[at] ^= 4
		copied := filepath.Join(t.TempDir(), "journal.db")
		whole, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(copied, whole, 0o600))
		must(t, os.WriteFile(copied+"-wal", damaged, 0o600))
		j := mustOpen(t, copied)
		mustBeSound(t, j)
		base := tree(t, j)
		for n := range len(base) {
			if _, there := base[fmt.Sprintf("a%d", n)]; !there {
				t.Errorf("a base of %d rows, and not the first", len(base))
			}
		}
		states[len(base)] = true
		must(t, j.Close())
	}
	if len(states) != 7 {
		t.Errorf("states %v", states)
	}
}

func TestOpenOtherMapping(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Close())
	_, err := Open(path, Mapping{Source: "/src", Remote: "other:"})
	wantError(t, err, ErrOtherMapping, path, "other:")
}

func TestOpenNewer(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Close())
	spoil(t, path, "PRAGMA user_version = 99")
	_, err := Open(path, testMapping)
	wantError(t, err, ErrNewer, path, "99")
	_, err = OpenReadOnly(path)
	wantError(t, err, ErrNewer, path, "99")
}

func TestOpenAnotherProgramsDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	must(t, err)
	must(t, c.Close())
	spoil(t, path, "CREATE TABLE theirs (x)")
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = Open(path, testMapping)
	wantError(t, err, ErrDamaged, path)
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a database of another program was changed")
	}
}

func TestOpenMissingDirectory(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "no", "journal.db"), testMapping)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// A damaged file is recognised when it is opened or when the damage is read, never mistaken for an
// empty base.
func TestDamagedFile(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"garbage":    func(b []byte) []byte { return []byte(strings.Repeat("garbage!", len(b)/8)) },
		"truncated":  func(b []byte) []byte { return b[:len(b)/2] },
		"cut header": func(b []byte) []byte { return b[:50] },
		"zeroes":     func(b []byte) []byte { return append(b[:100:100], make([]byte, len(b)-100)...) },
		"pages": func(b []byte) []byte {
			for i := 8192; i < len(b); i++ {
				b[i] = byte(i * 7)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			j, path := newJournal(t)
			var steps []Step
			for i := range 300 {
				steps = append(steps, send(fmt.Sprintf("dir/%04d", i), file(1)))
			}
			run(t, j, steps...)
			must(t, j.Close())
			spoil(t, path, "PRAGMA wal_checkpoint(TRUNCATE)") // which folds the log in: what is damaged is the file
			b, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, damage(b), 0o600))
			_, err = readThrough(path)
			wantError(t, err, ErrDamaged, path)
		})
	}
}

// readThrough opens a journal and reads its base as a scan does.
func readThrough(path string) (n int, err error) {
	j, err := Open(path, testMapping)
	if err != nil {
		return 0, err
	}
	defer j.Close()
	r, err := j.Reader()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	if err := r.Open("dir"); err != nil {
		return 0, err
	}
	for {
		name, _, err := r.Next()
		if err != nil || name == nil {
			return n, err
		}
		n++
	}
}

func TestDamagedRow(t *testing.T) {
	j, path := newJournal(t)
	run(t, j, send("dir/a", file(1)))
	must(t, j.Close())
	spoil(t, path, "UPDATE base SET entry = x'01' WHERE name = 'a'")
	_, err := readThrough(path)
	wantError(t, err, ErrDamaged, path, "dir/a")
}

// An empty file is what a crash of an earlier version left between creating a journal and its schema.
func TestOpenEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	must(t, os.WriteFile(path, nil, 0o600))
	j := mustOpen(t, path)
	defer j.Close()
	if s, err := j.State(); err != nil || s.Adopted {
		t.Errorf("state %+v, %v", s, err)
	}
}

func TestOpenReadOnlyMissing(t *testing.T) {
	_, err := OpenReadOnly(filepath.Join(t.TempDir(), "journal.db"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Reading leaves no trace: not in a closed journal, not in one that a process is writing, not in one
// that a crash left.
func TestOpenReadOnlyLeavesNoTrace(t *testing.T) {
	for _, name := range []string{"closed", "folded in", "in use", "crashed"} {
		t.Run(name, func(t *testing.T) {
			j, path := newJournal(t)
			run(t, j, send("a/b", hashed(3, 1)))
			switch name {
			case "closed":
				must(t, j.Close())
			case "folded in":
				must(t, j.Close())
				spoil(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
			case "crashed":
				crashed := t.TempDir()
				must(t, os.CopyFS(crashed, os.DirFS(filepath.Dir(path))))
				path = filepath.Join(crashed, "journal.db")
			}
			before := listing(t, filepath.Dir(path))
			ro, err := OpenReadOnly(path)
			must(t, err)
			if len(tree(t, ro)) != 2 {
				t.Errorf("base %v", tree(t, ro))
			}
			if sizes, err := ro.Sizes([]int64{3, 4}); err != nil || !cmp.Equal(sizes, map[int64]bool{3: true}) {
				t.Errorf("sizes %v, %v", sizes, err)
			}
			if ro.Mapping() != testMapping {
				t.Errorf("mapping %v", ro.Mapping())
			}
			if err := Update(ro, func(*EngineState) {}); !errors.Is(err, database.ErrReadOnly) {
				t.Errorf("update: %v", err)
			}
			mustBeSound(t, ro)
			if diff := cmp.Diff(before, listing(t, filepath.Dir(path))); diff != "" {
				t.Error(diff)
			}
			must(t, ro.Close())
			if diff := cmp.Diff(before, listing(t, filepath.Dir(path))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// listing is the names and contents of a directory.
func listing(t testing.TB, dir string) map[string]string {
	t.Helper()
	m := make(map[string]string)
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		m[e.Name()] = string(b)
	}
	return m
}

func TestOpenMemory(t *testing.T) {
	j, err := OpenMemory(testMapping)
	must(t, err)
	defer j.Close()
	other, err := OpenMemory(testMapping)
	must(t, err)
	defer other.Close()
	must(t, j.Adopt(t.Context(), func(add func(string, snapshot.Entry) error) error {
		return add("a/b", *file(1))
	}))
	r, err := j.Reader()
	must(t, err)
	if n := readDir(t, r, "a"); n != 1 {
		t.Errorf("%d children of a", n)
	}
	must(t, r.Close())
	if len(tree(t, other)) != 0 {
		t.Error("two journals in memory share a base")
	}
	mustBeSound(t, j)
}

// Odd paths of files and of the journal itself.
func TestOpenOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20e\xff'.db")
	j, err := Open(path, testMapping)
	if err != nil {
		t.Skip("the file system refuses the name: ", err)
	}
	run(t, j, send("a", file(1)))
	must(t, j.Close())
	ro, err := OpenReadOnly(path)
	must(t, err)
	defer ro.Close()
	if len(tree(t, ro)) != 1 {
		t.Error("another file was read")
	}
}

func TestClosedJournal(t *testing.T) {
	j, _ := newJournal(t)
	must(t, j.Close())
	if _, err := j.State(); !errors.Is(err, database.ErrClosed) {
		t.Errorf("state: %v", err)
	}
	if err := j.Claim(1); !errors.Is(err, database.ErrClosed) {
		t.Errorf("claim: %v", err)
	}
}

func wantError(t testing.TB, err, class error, mentions ...string) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("got %v, want one that is %q", err, class)
	}
	if e := (*database.Error)(nil); !errors.As(err, &e) || e.Hint() == "" {
		t.Errorf("%v has no hint", err)
	}
	if strings.Count(err.Error(), class.Error()) > 1 {
		t.Errorf("%q says %q more than once", err, class)
	}
	for _, m := range mentions {
		if !strings.Contains(err.Error(), m) {
			t.Errorf("%q does not mention %q", err, m)
		}
	}
}
