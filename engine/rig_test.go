package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// rig is a real source directory, a real journal and a remote in memory. Each run opens the journal
// anew, as a process would.
type rig struct {
	t      *testing.T
	source string
	db     string
	remote *enginetest.Memory
	cfg    engine.Config // what a test wants to be different
	events func(event.Event)
	wrap   func(remote.Connection) remote.Connection // what stands between the engine and the remote; nil: nothing
	pulse  func(context.Context) error               // whether the remote's host answers; nil: that cannot be told
}

// fullCaps is what SFTP or a local directory can do, and server-side copies as well.
var fullCaps = remote.Caps{
	Copy: true, Move: true, DirMove: true, SetModTime: true, EmptyDirs: true,
	Precision: time.Nanosecond, DeleteBatch: 3, Transfers: 4,
}

func newRig(t *testing.T, caps remote.Caps) *rig {
	t.Helper()
	r := &rig{
		t: t, source: filepath.Join(t.TempDir(), "source"), db: filepath.Join(t.TempDir(), "journal.db"),
		remote: enginetest.NewMemory(t, caps),
	}
	must(t, os.Mkdir(r.source, 0o755))
	everything, err := engine.ParseMaxDelete("100%")
	must(t, err)
	r.cfg = engine.Config{CompleteSync: true, MaxDelete: everything}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// with opens journal and engine, and closes both afterwards.
func (r *rig) with(do func(*engine.Engine, *journal.Journal)) {
	r.t.Helper()
	j, err := journal.Open(r.db, journal.Mapping{Source: r.source, Remote: "memory"})
	must(r.t, err)
	cfg := r.cfg
	cfg.Scan.Root, cfg.Journal, cfg.Connect, cfg.Observe = r.source, j, r.connect, r.events
	e, err := engine.New(cfg)
	must(r.t, err)
	do(e, j)
	must(r.t, e.Close())
	must(r.t, j.Close())
}

func (r *rig) connect(ctx context.Context, u remote.Uploads) (remote.Connection, error) {
	c, err := r.remote.Connect(ctx, u)
	if err != nil || r.wrap == nil {
		return c, err
	}
	return r.wrap(c), nil
}

func (r *rig) try() (engine.Summary, error) {
	r.t.Helper()
	return r.tryIn(context.Background())
}

func (r *rig) tryIn(ctx context.Context) (sum engine.Summary, err error) {
	r.t.Helper()
	r.with(func(e *engine.Engine, _ *journal.Journal) { sum, err = e.Run(ctx) })
	return sum, err
}

// fails runs once and fails the test unless the run ends with that error.
func (r *rig) fails(want error) {
	r.t.Helper()
	if sum, err := r.try(); !errors.Is(err, want) {
		r.t.Fatalf("want %v, got %v, %+v\n%s", want, err, sum, r.remote.Log())
	}
}

// verify lists the remote and, if told so, makes the base say what it holds.
func (r *rig) verify(opt engine.VerifyOptions) (report engine.Report) {
	r.t.Helper()
	r.with(func(e *engine.Engine, _ *journal.Journal) {
		got, err := e.Verify(context.Background(), opt)
		must(r.t, err)
		report = *got
	})
	return report
}

// every makes all operations of a name fail.
func every(name string, fault enginetest.Fault) func(enginetest.Op) *enginetest.Fault {
	return func(op enginetest.Op) *enginetest.Fault {
		if op.Name != name {
			return nil
		}
		return &fault
	}
}

// cut takes the remote away with the first operation of a name, which may still have been applied.
func cut(name string, when enginetest.When) func(enginetest.Op) *enginetest.Fault {
	away := false
	return func(op enginetest.Op) *enginetest.Fault {
		switch {
		case away:
			return &enginetest.Fault{Err: remote.ErrOffline}
		case op.Name != name:
			return nil
		}
		away = true
		return &enginetest.Fault{When: when, Err: remote.ErrOffline}
	}
}

// wrapped lets a test stand between the engine and the remote; what is nil does nothing.
type wrapped struct {
	remote.Connection
	sent   func(path string)       // after a file was sent
	list   func(*remote.Object)    // changes what a listing says
	delete func(path string) error // refuses a delete
}

func (w *wrapped) Send(ctx context.Context, path string, src remote.Source) error {
	err := w.Connection.Send(ctx, path, src)
	if err == nil && w.sent != nil {
		w.sent(path)
	}
	return err
}

func (w *wrapped) List(ctx context.Context, fn func(remote.Object) error) error {
	return w.Connection.List(ctx, func(there remote.Object) error {
		if w.list != nil {
			w.list(&there)
		}
		return fn(there)
	})
}

func (w *wrapped) Delete(ctx context.Context, paths []string) []error {
	if w.delete == nil {
		return w.Connection.Delete(ctx, paths)
	}
	errs := make([]error, len(paths))
	for i, path := range paths {
		if errs[i] = w.delete(path); errs[i] == nil {
			errs[i] = w.Connection.Delete(ctx, []string{path})[0]
		}
	}
	return errs
}

func (r *rig) run() engine.Summary {
	r.t.Helper()
	sum, err := r.try()
	must(r.t, err)
	return sum
}

// write makes a file with a content, parents included.
func (r *rig) write(path, content string) {
	r.t.Helper()
	full := filepath.Join(r.source, path)
	must(r.t, os.MkdirAll(filepath.Dir(full), 0o755))
	must(r.t, os.WriteFile(full, []byte(content), 0o644))
}

func (r *rig) mkdir(path string) {
	r.t.Helper()
	must(r.t, os.MkdirAll(filepath.Join(r.source, path), 0o755))
}

// stamp sets a file's mtime.
func (r *rig) stamp(path string, when time.Time) {
	r.t.Helper()
	must(r.t, os.Chtimes(filepath.Join(r.source, path), when, when))
}

func (r *rig) mtime(path string) time.Time {
	r.t.Helper()
	info, err := os.Stat(filepath.Join(r.source, path))
	must(r.t, err)
	return info.ModTime()
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	must(r.t, os.Rename(filepath.Join(r.source, from), filepath.Join(r.source, to)))
}

func (r *rig) remove(path string) {
	r.t.Helper()
	must(r.t, os.RemoveAll(filepath.Join(r.source, path)))
}

// files lists "path content mtime" of a tree: the source's, or the remote's.
func (r *rig) files() (out []string) {
	r.t.Helper()
	must(r.t, filepath.WalkDir(r.source, func(full string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		path, _ := filepath.Rel(r.source, full)
		out = append(out, r.line(path, string(content), info.ModTime()))
		return nil
	}))
	return sorted(out)
}

func (r *rig) remoteFiles() (out []string) {
	for _, n := range r.remote.Tree() {
		if n.Kind != snapshot.Dir {
			out = append(out, r.line(n.Path, n.Content, n.Mtime))
		}
	}
	return sorted(out)
}

// same fails the test unless the remote is true to the source and the journal to the remote.
func (r *rig) same() {
	r.t.Helper()
	if diff := cmp.Diff(r.files(), r.remoteFiles()); diff != "" {
		r.t.Errorf("source and remote differ (-source +remote):\n%s", diff)
	}
	r.with(func(e *engine.Engine, j *journal.Journal) {
		broken, err := j.Check(context.Background())
		must(r.t, err)
		if len(broken) > 0 {
			r.t.Errorf("journal: %s", strings.Join(broken, "; "))
		}
		report, err := e.Verify(context.Background(), engine.VerifyOptions{})
		must(r.t, err)
		if !report.Clean() {
			r.t.Errorf("base and remote differ: %+v", *report)
		}
	})
}

// quiet fails the test unless a further run has nothing to do and does not ask the remote.
func (r *rig) quiet() {
	r.t.Helper()
	before := r.remote.Ops()
	if sum := r.run(); sum.Sent+sum.Moved+sum.Deleted+sum.Copied+sum.Touched+sum.Failed != 0 {
		r.t.Errorf("a second run still does something: %+v", sum)
	}
	if asked := r.remote.Ops() - before; asked != 0 {
		r.t.Errorf("a run over an unchanged tree asked the remote %d times", asked)
	}
}

// line shows a file as far as this remote can keep it.
func (r *rig) line(path, content string, mtime time.Time) string {
	if !r.remote.Caps.SetModTime {
		return fmt.Sprintf("%s %q", path, content)
	}
	return fmt.Sprintf("%s %q %d", path, content, mtime.Truncate(r.remote.Caps.Precision).UnixNano())
}

// edit makes n random changes in the source, among few names so that they collide.
func (r *rig) edit(rng *rand.Rand, n int) {
	r.t.Helper()
	for range n {
		r.editOnce(rng)
	}
}

func (r *rig) editOnce(rng *rand.Rand) {
	name := func() string {
		parts := make([]string, 1+rng.IntN(3))
		for i := range parts {
			parts[i] = string(rune('a' + rng.IntN(3)))
		}
		return filepath.Join(r.source, filepath.Join(parts...))
	}
	a, b := name(), name()
	// Many of these fail, since a parent is a file or missing: that is no change, and that is fine.
	switch rng.IntN(7) {
	case 0, 1, 2:
		_ = os.MkdirAll(filepath.Dir(a), 0o755)
		_ = os.WriteFile(a, []byte(strings.Repeat("x", rng.IntN(3))+string(rune('p'+rng.IntN(3)))), 0o644)
	case 3:
		_ = os.MkdirAll(filepath.Dir(b), 0o755)
		_ = os.Rename(a, b)
	case 4:
		_ = os.RemoveAll(a)
	case 5:
		tmp := filepath.Join(filepath.Dir(r.source), "swap")
		if os.Rename(a, tmp) == nil {
			if os.Rename(b, a) == nil {
				_ = os.MkdirAll(filepath.Dir(b), 0o755)
			}
			if os.Rename(tmp, b) != nil {
				_ = os.RemoveAll(tmp)
			}
		}
	case 6:
		when := time.Unix(1_000_000_000+rng.Int64N(1000), 0)
		if info, err := os.Lstat(a); err == nil && !info.IsDir() {
			_ = os.Chtimes(a, when, when)
		}
	}
}
