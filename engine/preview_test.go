package engine_test

import (
	"bytes"
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
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

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
	r := rig.New(t, rig.FullCaps)
	r.Write("full/f", "content")
	r.Mkdir("empty/deep")
	r.Mkdir("gone")
	r.Run()
	r.Remove("gone")
	r.Cfg.EmptyDirs = true
	if got := describe(r.Plan().Plan.Steps); got != "mkdir empty/deep" {
		t.Errorf("planned %q", got)
	}
	if state := r.State(); state.EmptyDirs {
		t.Error("a plan wrote something")
	}
	if sum := r.Run(); sum.Sent != 1 || sum.Deleted != 0 {
		t.Errorf("the run did something else: %+v\n%s", sum, r.Remote.Log())
	}
	if got := describe(r.Plan().Plan.Steps); got != "" {
		t.Errorf("planned again: %q", got)
	}
	r.Quiet()
}

// Options change what a remote can do: a plan does not go by what it could with others.
func TestPlanWithOtherOptions(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "content a")
	r.Write("b", "content b, longer")
	r.Run()
	r.Rename("a", "b")
	r.Remote.Caps.Backup = true
	r.Cfg.Options = "--backup-dir"
	preview := r.Plan()
	if got := describe(preview.Plan.Steps); got != "delete b; move b from a" {
		t.Errorf("planned %q", got)
	}
	if sum := r.Run(); sum.Deleted != 1 || sum.Moved != 1 {
		t.Errorf("the run did something else: %+v", sum)
	}
	// Known now: the remote is not asked again, and need not be there.
	r.Write("c", "content c")
	before := r.Remote.Ops()
	r.Plan()
	if n := r.Remote.Ops() - before; n != 0 {
		t.Errorf("the remote was asked %d times", n)
	}
	r.Cfg.Options = "others"
	r.Remote.SetOffline(true)
	if got := describe(r.Plan().Plan.Steps); got != "upload c" {
		t.Errorf("planned %q while the remote is away", got)
	}
}

// What is held since a nested file system is gone is told by run, plan and the state on disk alike, until
// it is back.
func TestHeldByAMount(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: file systems are not mounted inside directories")
	}
	r := rig.New(t, rig.FullCaps)
	r.Write("f", "content")
	r.Write("disk/a", "content a")
	r.Write("disk/b", "content b")
	r.Run()
	r.Unmount("disk")
	if m := r.Plan().Mounts; m == nil || m.Deletes != 2 || !strings.Contains(m.Why, `"disk"`) {
		t.Errorf("planned as held: %+v", m)
	}
	if sum := r.Run(); sum.Held != 2 || sum.Deleted != 0 || sum.HeldByMounts() == nil {
		t.Errorf("got %+v", sum)
	}
	if s := r.State(); s.MountsHeld != 2 || !strings.Contains(s.MountsWhy, `"disk": the file system mounted there is gone`) || s.HeldDigest != "" {
		t.Errorf("the state says %d held: %q", s.MountsHeld, s.MountsWhy)
	}
	r.Cfg.CompleteSync = false
	if sum := r.Run(); sum.Held != 0 || r.Plan().Mounts != nil || r.State().MountsHeld != 0 {
		t.Errorf("held although nothing would be deleted: %+v", sum)
	}
	r.Cfg.CompleteSync = true
	r.Run()
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		rig.Must(t, journal.Update(j, func(s *journal.Decisions) { s.NewSourceApproved = true }))
	})
	if sum := r.Run(); sum.Held != 0 || sum.Deleted != 2 {
		t.Errorf("after approval: %+v", sum)
	}
	if s := r.State(); s.MountsHeld != 0 || s.MountsWhy != "" {
		t.Errorf("the state still says %d held: %q", s.MountsHeld, s.MountsWhy)
	}
}

// On a remote that ignores case one of two names is sent; the other fails, in every run, and nothing
// is sent twice.
func TestNamesThatDifferInCase(t *testing.T) {
	caps := rig.FullCaps
	caps.CaseInsensitive = true
	r := rig.New(t, caps)
	r.Write("a", "content a")
	r.Write("B", "content B")
	r.Write("b", "content b, longer")
	if _, err := os.Stat(filepath.Join(r.Source, "A")); err == nil {
		t.Skip("case: the source ignores it as well")
	}
	for n := range 3 {
		sum := r.Run()
		if want := int64([]int{2, 0, 1}[n]); sum.Sent != want || sum.Failed != 1 {
			t.Fatalf("run %d: %+v", n, sum)
		}
		f := sum.Failures[0]
		if f.Path != "b" || !errors.Is(f.Err, remote.ErrInvalidName) || !strings.Contains(f.Err.Error(), `"B"`) {
			t.Errorf("run %d: %s: %v", n, f.Path, f.Err)
		}
		if n == 1 {
			r.Write("B", "content B, edited")
			r.Write("b", "content b, edited as well")
		}
	}
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		rows, err := j.Failures(10)
		rig.Must(t, err)
		if len(rows) != 1 || rows[0].Path != "b" || rows[0].Class != "name" {
			t.Errorf("failures: %+v", rows)
		}
	})
	r.Remove("B")
	if sum := r.Run(); sum.Failed != 0 {
		t.Errorf("with one of them gone: %+v", sum)
	}
	r.Same()
	r.Quiet()
}

// A process that stays says once where nothing is deleted, however often it looks.
func TestLoopTellsOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows: file systems are not mounted inside directories")
	}
	var log bytes.Buffer
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Write("disk/a", "content a")
		r.Run()
		r.Unmount("disk")
		r.Cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	}, func(t *testing.T, s *rig.Stay) {
		s.Pass(5 * time.Hour)
		if state := s.Status().State; state != loop.Held {
			t.Errorf("the loop is %s", state)
		}
	})
	if n := strings.Count(log.String(), "nothing beneath is deleted"); n != 1 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}
