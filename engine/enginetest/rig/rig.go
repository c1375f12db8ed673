// Package rig is the set-up of the tests of engine and loop: a real source directory, a real journal, a remote in memory.
package rig

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/inspect"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
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

func (r *Rig) Run() engine.Summary {
	r.T.Helper()
	sum, err := r.Try()
	Must(r.T, err)
	return sum
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

// Plan previews the next run.
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
