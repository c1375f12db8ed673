// Package rig is the set-up of the tests of engine and loop: a real source directory, a real journal, a remote in memory.
package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/inspect"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Rig is a real source directory, a real journal and a remote in memory. Each run opens the journal
// anew, as a process would.
type Rig struct {
	T      *testing.T
	Source string
	DB     string
	Remote *enginetest.Memory
	Cfg    engine.Config // what a test wants to be different
	Events func(event.Event)
	Wrap   func(remote.Connection) remote.Connection // what stands between the engine and the remote; nil: nothing
	Pulse  func(context.Context) error               // whether the remote's host answers; nil: that cannot be told
}

// FullCaps is what SFTP or a local directory can do, and server-side copies as well.
var FullCaps = remote.Caps{
	Copy: true, Move: true, DirMove: true, SetModTime: true, EmptyDirs: true,
	Precision: time.Nanosecond, DeleteBatch: 3, Transfers: 4,
}

func New(t *testing.T, caps remote.Caps) *Rig {
	t.Helper()
	r := &Rig{
		T: t, Source: filepath.Join(t.TempDir(), "source"), DB: filepath.Join(t.TempDir(), "journal.db"),
		Remote: enginetest.NewMemory(t, caps),
	}
	Must(t, os.Mkdir(r.Source, 0o755))
	everything, err := guard.ParseMaxDelete("100%")
	Must(t, err)
	r.Cfg = engine.Config{CompleteSync: true, MaxDelete: everything}
	return r
}

func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// With opens journal and engine, and closes both afterwards.
func (r *Rig) With(do func(*engine.Engine, *journal.Journal)) {
	r.T.Helper()
	j, err := journal.Open(r.DB, journal.Mapping{Source: r.Source, Remote: "memory"})
	Must(r.T, err)
	cfg := r.Cfg
	cfg.Scan.Root, cfg.Journal, cfg.Connect, cfg.Observe = r.Source, j, r.Connect, r.Events
	e, err := engine.New(cfg)
	Must(r.T, err)
	do(e, j)
	Must(r.T, e.Close())
	Must(r.T, j.Close())
}

func (r *Rig) Connect(ctx context.Context, u remote.Uploads) (remote.Connection, error) {
	c, err := r.Remote.Connect(ctx, u)
	if err != nil || r.Wrap == nil {
		return c, err
	}
	return r.Wrap(c), nil
}

func (r *Rig) Try() (engine.Summary, error) {
	r.T.Helper()
	return r.tryIn(context.Background())
}

func (r *Rig) tryIn(ctx context.Context) (sum engine.Summary, err error) {
	r.T.Helper()
	r.With(func(e *engine.Engine, _ *journal.Journal) { sum, err = e.Run(ctx) })
	return sum, err
}

// Fails runs once and fails the test unless the run ends with that error.
func (r *Rig) Fails(want error) {
	r.T.Helper()
	if sum, err := r.Try(); !errors.Is(err, want) {
		r.T.Fatalf("want %v, got %v, %+v\n%s", want, err, sum, r.Remote.Log())
	}
}

// Verify lists the remote and, if told so, makes the base say what it holds.
func (r *Rig) Verify(opt engine.VerifyOptions) (report inspect.Report) {
	r.T.Helper()
	r.With(func(e *engine.Engine, _ *journal.Journal) {
		got, err := e.Verify(context.Background(), opt)
		Must(r.T, err)
		report = *got
	})
	return report
}

// Every makes all operations of a name fail.
func Every(name string, fault enginetest.Fault) func(enginetest.Op) *enginetest.Fault {
	return func(op enginetest.Op) *enginetest.Fault {
		if op.Name != name {
			return nil
		}
		return &fault
	}
}

// Cut takes the remote away with the first operation of a name, which may still have been applied.
func Cut(name string, when enginetest.When) func(enginetest.Op) *enginetest.Fault {
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

// Wrapped lets a test stand between the engine and the remote; what is nil does nothing.
type Wrapped struct {
	remote.Connection
	sent     func(path string)       // after a file was sent
	list     func(*remote.Object)    // changes what a listing says
	OnDelete func(path string) error // refuses a delete
}

func (w *Wrapped) Send(ctx context.Context, path string, src remote.Source) error {
	err := w.Connection.Send(ctx, path, src)
	if err == nil && w.sent != nil {
		w.sent(path)
	}
	return err
}

func (w *Wrapped) List(ctx context.Context, fn func(remote.Object) error) error {
	return w.Connection.List(ctx, func(there remote.Object) error {
		if w.list != nil {
			w.list(&there)
		}
		return fn(there)
	})
}

func (w *Wrapped) Delete(ctx context.Context, paths []string) []error {
	if w.OnDelete == nil {
		return w.Connection.Delete(ctx, paths)
	}
	errs := make([]error, len(paths))
	for i, path := range paths {
		if errs[i] = w.OnDelete(path); errs[i] == nil {
			errs[i] = w.Connection.Delete(ctx, []string{path})[0]
		}
	}
	return errs
}

func (r *Rig) Run() engine.Summary {
	r.T.Helper()
	sum, err := r.Try()
	Must(r.T, err)
	return sum
}

// Write makes a file with a content, parents included.
func (r *Rig) Write(path, content string) {
	r.T.Helper()
	full := filepath.Join(r.Source, path)
	Must(r.T, os.MkdirAll(filepath.Dir(full), 0o755))
	Must(r.T, os.WriteFile(full, []byte(content), 0o644))
}

func (r *Rig) Mkdir(path string) {
	r.T.Helper()
	Must(r.T, os.MkdirAll(filepath.Join(r.Source, path), 0o755))
}

// Stamp sets a file's mtime.
func (r *Rig) Stamp(path string, when time.Time) {
	r.T.Helper()
	Must(r.T, os.Chtimes(filepath.Join(r.Source, path), when, when))
}

func (r *Rig) Mtime(path string) time.Time {
	r.T.Helper()
	info, err := os.Stat(filepath.Join(r.Source, path))
	Must(r.T, err)
	return info.ModTime()
}

func (r *Rig) Rename(from, to string) {
	r.T.Helper()
	Must(r.T, os.Rename(filepath.Join(r.Source, from), filepath.Join(r.Source, to)))
}

func (r *Rig) Remove(path string) {
	r.T.Helper()
	Must(r.T, os.RemoveAll(filepath.Join(r.Source, path)))
}

// files lists "path content mtime" of a tree: the source's, or the remote's.
func (r *Rig) files() (out []string) {
	r.T.Helper()
	Must(r.T, filepath.WalkDir(r.Source, func(full string, d fs.DirEntry, err error) error {
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
		path, _ := filepath.Rel(r.Source, full)
		out = append(out, r.line(path, string(content), info.ModTime()))
		return nil
	}))
	return Sorted(out)
}

func (r *Rig) RemoteFiles() (out []string) {
	for _, n := range r.Remote.Tree() {
		if n.Kind != snapshot.Dir {
			out = append(out, r.line(n.Path, n.Content, n.Mtime))
		}
	}
	return Sorted(out)
}

// Same fails the test unless the remote is true to the source and the journal to the remote.
func (r *Rig) Same() {
	r.T.Helper()
	if diff := cmp.Diff(r.files(), r.RemoteFiles()); diff != "" {
		r.T.Errorf("source and remote differ (-source +remote):\n%s", diff)
	}
	r.With(func(e *engine.Engine, j *journal.Journal) {
		broken, err := j.Check(context.Background())
		Must(r.T, err)
		if len(broken) > 0 {
			r.T.Errorf("journal: %s", strings.Join(broken, "; "))
		}
		report, err := e.Verify(context.Background(), engine.VerifyOptions{})
		Must(r.T, err)
		if !report.Clean() {
			r.T.Errorf("base and remote differ: %+v", *report)
		}
	})
}

// Quiet fails the test unless a further run has nothing to do and does not ask the remote.
func (r *Rig) Quiet() {
	r.T.Helper()
	before := r.Remote.Ops()
	if sum := r.Run(); sum.Sent+sum.Moved+sum.Deleted+sum.Copied+sum.Touched+sum.Failed != 0 {
		r.T.Errorf("a second run still does something: %+v", sum)
	}
	if asked := r.Remote.Ops() - before; asked != 0 {
		r.T.Errorf("a run over an unchanged tree asked the remote %d times", asked)
	}
}

// line shows a file as far as this remote can keep it.
func (r *Rig) line(path, content string, mtime time.Time) string {
	if !r.Remote.Caps.SetModTime {
		return fmt.Sprintf("%s %q", path, content)
	}
	return fmt.Sprintf("%s %q %d", path, content, mtime.Truncate(r.Remote.Caps.Precision).UnixNano())
}

// Edit makes n random changes in the source, among few names so that they collide.
func (r *Rig) Edit(rng *rand.Rand, n int) {
	r.T.Helper()
	for range n {
		r.editOnce(rng)
	}
}

func (r *Rig) editOnce(rng *rand.Rand) {
	name := func() string {
		parts := make([]string, 1+rng.IntN(3))
		for i := range parts {
			parts[i] = string(rune('a' + rng.IntN(3)))
		}
		return filepath.Join(r.Source, filepath.Join(parts...))
	}
	a, b := name(), name()
	// Many of these fail, since a parent is a file or missing: that is no change, and that is fine.
	switch rng.IntN(9) {
	case 0, 1, 2:
		_ = os.MkdirAll(filepath.Dir(a), 0o755)
		_ = os.WriteFile(a, []byte(strings.Repeat("x", rng.IntN(3))+string(rune('p'+rng.IntN(3)))), 0o644)
		if rng.IntN(3) == 0 {
			_ = os.Chtimes(a, archived, archived)
		}
	case 3:
		_ = os.MkdirAll(filepath.Dir(b), 0o755)
		_ = os.Rename(a, b)
	case 4:
		_ = os.RemoveAll(a)
	case 5:
		tmp := filepath.Join(filepath.Dir(r.Source), "swap")
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
	case 7:
		slip(a)
		_ = os.MkdirAll(filepath.Dir(b), 0o755)
		_ = os.Rename(a, b)
	case 8: // an inode that is free is used again, for a file that shows no difference
		if info, err := os.Lstat(a); err == nil && !info.IsDir() && os.Remove(a) == nil {
			_ = os.MkdirAll(filepath.Dir(b), 0o755)
			_ = os.WriteFile(b, []byte(strings.Repeat("y", int(info.Size()))), 0o644)
			_ = os.Chtimes(b, info.ModTime(), info.ModTime())
		}
	}
}

// archived is the mtime of files from a reproducible archive: many have it.
var archived = time.Unix(1_000_000_000, 0)

// slip edits a file so that its size and mtime stay.
func slip(file string) {
	info, err := os.Lstat(file)
	if err != nil || info.IsDir() {
		return
	}
	content, err := os.ReadFile(file)
	if err != nil || len(content) == 0 {
		return
	}
	content[0]++
	if os.WriteFile(file, content, 0o644) == nil {
		_ = os.Chtimes(file, info.ModTime(), info.ModTime())
	}
}

// DuringFirstStep does something once, when the next run starts its first step.
func (r *Rig) DuringFirstStep(do func()) {
	var once sync.Once
	r.Events = func(ev event.Event) {
		if ev.Type == event.StepStart {
			once.Do(do)
		}
	}
}

func Sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

// Fill writes n files f00, f01, … with distinct contents.
func (r *Rig) Fill(n int) {
	r.T.Helper()
	for i := range n {
		r.Write(fmt.Sprintf("f%02d", i), fmt.Sprintf("content %d", i))
	}
}

// ApproveHeld lets the deletes through that are held.
func ApproveHeld(j *journal.Journal) error {
	return journal.Update(j, func(d *journal.Decisions) {
		if state, err := j.State(); err == nil {
			d.ApprovedDigest = state.HeldDigest
		}
	})
}

func (r *Rig) Approve() {
	r.T.Helper()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		Must(r.T, ApproveHeld(j))
	})
}

// CancelAfterSend runs until a file was sent, and is cancelled before the engine hears of it.
func (r *Rig) CancelAfterSend() {
	r.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.Wrap = func(c remote.Connection) remote.Connection {
		return &Wrapped{Connection: c, sent: func(string) { cancel() }}
	}
	if _, err := r.tryIn(ctx); err != nil && !errors.Is(err, context.Canceled) {
		r.T.Fatalf("want no error or context.Canceled, got %v", err)
	}
	r.Wrap = nil
}

// Kill runs until the n-th operation, from which on nothing reaches the remote, nor the journal.
func (r *Rig) Kill(n int, when enginetest.When) {
	r.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	at := r.Remote.Ops() + n
	var once sync.Once
	var killed journalFiles
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.N < at {
			return nil
		}
		fault := enginetest.Fault{Err: context.Canceled}
		once.Do(func() {
			fault.When = when
			killed = r.journalFiles()
			cancel()
		})
		return &fault
	}
	if _, err := r.tryIn(ctx); err != nil && !errors.Is(err, context.Canceled) {
		r.T.Fatal(err)
	}
	r.Remote.Fail = nil
	r.restore(killed)
}

// KillAfterWrite runs until the n-th write of the journal is durable, from which on nothing reaches the remote, nor the
// journal. It returns what was written; "" if the run ended before, for want of writes.
func (r *Rig) KillAfterWrite(n int) (op string) {
	r.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var dead atomic.Bool
	var killed journalFiles
	r.Remote.Fail = func(enginetest.Op) *enginetest.Fault {
		if dead.Load() {
			return &enginetest.Fault{Err: context.Canceled}
		}
		return nil
	}
	r.With(func(e *engine.Engine, j *journal.Journal) {
		j.Intercept(func(what string, durable bool) error {
			if !durable || dead.Load() {
				return nil
			}
			if n--; n == 0 {
				killed, op = r.journalFiles(), what
				dead.Store(true)
				cancel()
			}
			return nil
		})
		if _, err := e.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			r.T.Fatal(err)
		}
	})
	r.Remote.Fail = nil
	r.restore(killed)
	return op
}

// journalFiles are what a journal consists of, by path: what a killed process leaves.
type journalFiles map[string][]byte

func (r *Rig) journalFiles() journalFiles {
	files := make(journalFiles)
	for _, file := range []string{r.DB, r.DB + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.T.Error(err)
		}
		files[file] = content
	}
	return files
}

// restore makes the journal what it was; nil: it stays.
func (r *Rig) restore(files journalFiles) {
	r.T.Helper()
	if files == nil {
		return
	}
	Must(r.T, os.RemoveAll(r.DB+"-shm"))
	for file, content := range files {
		Must(r.T, os.WriteFile(file, content, 0o600))
	}
}

// Holds fails the test unless the remote has all that the source has, and the journal is true to it.
func (r *Rig) Holds() {
	r.T.Helper()
	have := r.RemoteFiles()
	for _, line := range r.files() {
		if !slices.Contains(have, line) {
			r.T.Errorf("the remote lacks %s", line)
		}
	}
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		broken, err := j.Check(context.Background())
		Must(r.T, err)
		if len(broken) > 0 {
			r.T.Errorf("journal: %s", strings.Join(broken, "; "))
		}
	})
	if report := r.Verify(engine.VerifyOptions{}); !report.Clean() {
		r.T.Errorf("base and remote differ: %+v", report)
	}
}

// Plan previews the next run and fails the test unless that one does as much.
func (r *Rig) Plan() (preview *engine.Preview) {
	r.T.Helper()
	r.With(func(e *engine.Engine, _ *journal.Journal) {
		var err error
		preview, err = e.Plan(context.Background())
		Must(r.T, err)
	})
	return preview
}

func (r *Rig) State() (state journal.State) {
	r.T.Helper()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		var err error
		state, err = j.State()
		Must(r.T, err)
	})
	return state
}

// Unmount makes the journal believe that dir was a file system of its own, and empties it: so it looks
// when one is not mounted any more.
func (r *Rig) Unmount(dir string) {
	r.T.Helper()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		Must(r.T, journal.Update(j, func(s *journal.EngineState) { s.Mounts = map[string]uint64{dir: 42} }))
	})
	entries, err := os.ReadDir(filepath.Join(r.Source, dir))
	Must(r.T, err)
	for _, e := range entries {
		r.Remove(filepath.Join(dir, e.Name()))
	}
}

// ListsNoMtimes is a remote like S3, whose listing gives hashes only.
func (r *Rig) ListsNoMtimes() {
	r.Remote.Caps.Hash, _ = snapshot.ParseHashType("md5")
	r.Wrap = func(c remote.Connection) remote.Connection {
		return &Wrapped{Connection: c, list: func(there *remote.Object) { there.Entry.Mtime = 0 }}
	}
}

// MoveInDoubt loses the remote's answer to the move of a directory d to e.
func (r *Rig) MoveInDoubt() {
	r.T.Helper()
	for i := range 5 {
		r.Write(fmt.Sprintf("d/f%d", i), fmt.Sprintf("content %d", i))
	}
	r.Run()
	r.Rename("d", "e")
	r.Remote.Fail = Cut("dirmove", enginetest.After)
	r.Fails(remote.ErrOffline)
	r.Remote.Fail = nil
}
