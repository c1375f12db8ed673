package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// plan previews the next run and fails the test unless that one does as much.
func (r *rig) plan() (preview *engine.Preview) {
	r.t.Helper()
	r.with(func(e *engine.Engine, _ *journal.Journal) {
		var err error
		preview, err = e.Plan(context.Background())
		must(r.t, err)
	})
	return preview
}

func (r *rig) state() (state journal.State) {
	r.t.Helper()
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		var err error
		state, err = j.State()
		must(r.t, err)
	})
	return state
}

// describe lists steps as "action path", with what they come from.
func describe(steps []journal.Step) string {
	var lines []string
	for i := range steps {
		s := &steps[i]
		line := fmt.Sprintf("%v %s", s.Action, s.Path)
		if s.Action == journal.Send {
			line = fmt.Sprintf("%v %s", s.How, s.Path)
		}
		if s.From != "" {
			line += " from " + s.From
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// A plan foresees what --create-empty-src-dirs makes of directories that were known before it was given.
func TestPlanForeseesEmptyDirs(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("full/f", "content")
	r.mkdir("empty/deep")
	r.mkdir("gone")
	r.run()
	r.remove("gone")
	r.cfg.EmptyDirs = true
	if got := describe(r.plan().Plan.Steps); got != "mkdir empty/deep" {
		t.Errorf("planned %q", got)
	}
	if state := r.state(); state.EmptyDirs {
		t.Error("a plan wrote something")
	}
	if sum := r.run(); sum.Sent != 1 || sum.Deleted != 0 {
		t.Errorf("the run did something else: %+v\n%s", sum, r.remote.Log())
	}
	if got := describe(r.plan().Plan.Steps); got != "" {
		t.Errorf("planned again: %q", got)
	}
	r.quiet()
}

// Options change what a remote can do: a plan does not go by what it could with others.
func TestPlanWithOtherOptions(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("a", "content a")
	r.write("b", "content b, longer")
	r.run()
	r.rename("a", "b")
	r.remote.Caps.Backup = true
	r.cfg.Options = "--backup-dir"
	preview := r.plan()
	if got := describe(preview.Plan.Steps); got != "delete b; move b from a" {
		t.Errorf("planned %q", got)
	}
	if sum := r.run(); sum.Deleted != 1 || sum.Moved != 1 {
		t.Errorf("the run did something else: %+v", sum)
	}
	// Known now: the remote is not asked again, and need not be there.
	r.write("c", "content c")
	before := r.remote.Ops()
	r.plan()
	if n := r.remote.Ops() - before; n != 0 {
		t.Errorf("the remote was asked %d times", n)
	}
	r.cfg.Options = "others"
	r.remote.SetOffline(true)
	if got := describe(r.plan().Plan.Steps); got != "upload c" {
		t.Errorf("planned %q while the remote is away", got)
	}
}

// unmount makes the journal believe that dir was a file system of its own, and empties it: so it looks
// when one is not mounted any more.
func (r *rig) unmount(dir string) {
	r.t.Helper()
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		must(r.t, j.Update(func(s *journal.State) { s.Mounts = map[string]uint64{dir: 42} }))
	})
	entries, err := os.ReadDir(filepath.Join(r.source, dir))
	must(r.t, err)
	for _, e := range entries {
		r.remove(filepath.Join(dir, e.Name()))
	}
}

// What is held since a nested file system is gone is told by run, plan and the state on disk alike, until
// it is back.
func TestHeldByAMount(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: file systems are not mounted inside directories")
	}
	r := newRig(t, fullCaps)
	r.write("f", "content")
	r.write("disk/a", "content a")
	r.write("disk/b", "content b")
	r.run()
	r.unmount("disk")
	if m := r.plan().Mounts; m == nil || m.Deletes != 2 || !strings.Contains(m.Why, `"disk"`) {
		t.Errorf("planned as held: %+v", m)
	}
	if sum := r.run(); sum.Held != 2 || sum.Deleted != 0 || sum.HeldByMounts() == nil {
		t.Errorf("got %+v", sum)
	}
	if s := r.state(); s.MountsHeld != 2 || !strings.Contains(s.MountsWhy, `"disk": the file system mounted there is gone`) || s.HeldDigest != "" {
		t.Errorf("the state says %d held: %q", s.MountsHeld, s.MountsWhy)
	}
	r.cfg.CompleteSync = false
	if sum := r.run(); sum.Held != 0 || r.plan().Mounts != nil || r.state().MountsHeld != 0 {
		t.Errorf("held although nothing would be deleted: %+v", sum)
	}
	r.cfg.CompleteSync = true
	r.run()
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		must(t, j.Update(func(s *journal.State) { s.NewSourceApproved = true }))
	})
	if sum := r.run(); sum.Held != 0 || sum.Deleted != 2 {
		t.Errorf("after approval: %+v", sum)
	}
	if s := r.state(); s.MountsHeld != 0 || s.MountsWhy != "" {
		t.Errorf("the state still says %d held: %q", s.MountsHeld, s.MountsWhy)
	}
}

// On a remote that ignores case one of two names is sent; the other fails, in every run, and nothing
// is sent twice.
func TestNamesThatDifferInCase(t *testing.T) {
	caps := fullCaps
	caps.CaseInsensitive = true
	r := newRig(t, caps)
	r.write("a", "content a")
	r.write("B", "content B")
	r.write("b", "content b, longer")
	if _, err := os.Stat(filepath.Join(r.source, "A")); err == nil {
		t.Skip("case: the source ignores it as well")
	}
	for n := range 3 {
		sum := r.run()
		if want := int64([]int{2, 0, 1}[n]); sum.Sent != want || sum.Failed != 1 {
			t.Fatalf("run %d: %+v", n, sum)
		}
		f := sum.Failures[0]
		if f.Path != "b" || !errors.Is(f.Err, remote.ErrInvalidName) || !strings.Contains(f.Err.Error(), `"B"`) {
			t.Errorf("run %d: %s: %v", n, f.Path, f.Err)
		}
		if n == 1 {
			r.write("B", "content B, edited")
			r.write("b", "content b, edited as well")
		}
	}
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		rows, err := j.Failures(10)
		must(t, err)
		if len(rows) != 1 || rows[0].Path != "b" || rows[0].Class != "name" {
			t.Errorf("failures: %+v", rows)
		}
	})
	r.remove("B")
	if sum := r.run(); sum.Failed != 0 {
		t.Errorf("with one of them gone: %+v", sum)
	}
	r.same()
	r.quiet()
}

// A process that stays says once where nothing is deleted, however often it looks.
func TestLoopTellsOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: file systems are not mounted inside directories")
	}
	var log bytes.Buffer
	stays(t, fullCaps, func(r *rig) {
		r.write("disk/a", "content a")
		r.run()
		r.unmount("disk")
		r.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	}, func(t *testing.T, s *stay) {
		s.pass(5 * time.Hour)
		if state := s.Status().State; state != engine.LoopHeld {
			t.Errorf("the loop is %s", state)
		}
	})
	if n := strings.Count(log.String(), "nothing beneath is deleted"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}
