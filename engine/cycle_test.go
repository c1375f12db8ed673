package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// default guard: what a person gets who sets nothing but --complete-sync.
func newGuardedRig(t *testing.T) *rig.Rig {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.MaxDelete = guard.MaxDelete{}
	return r
}

func TestHoldFreezesOnlyDeletes(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(20)
	r.Run()
	for i := range 15 {
		r.Remove(fmt.Sprintf("f%02d", i))
	}
	r.Write("new", "n")
	r.Write("f19", "edited, and longer")
	sum := r.Run()
	if sum.Held != 15 || sum.Sent != 2 || sum.Deleted != 0 || sum.Hold == nil {
		t.Fatalf("got %+v", sum)
	}
	if n := len(r.RemoteFiles()); n != 21 {
		t.Errorf("%d files on the remote, want all 20 and the new one", n)
	}
	if sum := r.Run(); sum.Held != 15 || sum.Sent != 0 {
		t.Errorf("held deletes are not held again: %+v", sum)
	}
	r.Approve()
	if sum := r.Run(); sum.Held != 0 || sum.Deleted != 15 {
		t.Errorf("after approval: %+v", sum)
	}
	r.Same()
	r.Quiet()
}

func TestApprovalIsForExactlyThatPlan(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(20)
	r.Run()
	for i := range 15 {
		r.Remove(fmt.Sprintf("f%02d", i))
	}
	r.Run()
	r.Approve()
	r.Remove("f15") // one more than was approved
	if sum := r.Run(); sum.Held != 16 || sum.Deleted != 0 {
		t.Errorf("an approval let another plan through: %+v", sum)
	}
	r.Write("f15", "content 15")
	r.Cfg.Approve = true // --approve, but what was shown last is the plan with 16
	if sum := r.Run(); sum.Held != 15 || sum.Deleted != 0 {
		t.Errorf("--approve let a plan through that was not shown: %+v", sum)
	}
	if sum := r.Run(); sum.Held != 0 || sum.Deleted != 15 {
		t.Errorf("--approve did not let the plan through that was shown: %+v", sum)
	}
}

func TestApprovedDeletesGoOnAfterAnInterruption(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(20)
	r.Run()
	for i := range 18 {
		r.Remove(fmt.Sprintf("f%02d", i))
	}
	r.Run()
	r.Approve()
	r.Cfg.Transfers = 1
	r.Remote.FailNth(3, enginetest.Fault{Err: remote.ErrOffline})
	r.Remote.Fail = failFrom(r.Remote.Ops()+3, remote.ErrOffline)
	if _, err := r.Try(); !errors.Is(err, remote.ErrOffline) {
		t.Fatalf("want offline, got %v", err)
	}
	r.Remote.Fail = nil
	if sum := r.Run(); sum.Held != 0 {
		t.Errorf("the rest of an approved plan is held: %+v", sum)
	}
	r.Same()
}

// failFrom makes every operation from the n-th on fail.
func failFrom(n int, err error) func(enginetest.Op) *enginetest.Fault {
	return func(op enginetest.Op) *enginetest.Fault {
		if op.N < n {
			return nil
		}
		return &enginetest.Fault{Err: err}
	}
}

func TestOfflineKeepsWhatIsPending(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(5)
	r.Run()
	r.Write("f00", "edited while the remote is away")
	r.Write("new", "n")
	r.Remote.SetOffline(true)
	if _, err := r.Try(); !errors.Is(err, remote.ErrOffline) {
		t.Fatalf("want offline, got %v", err)
	}
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		counts, err := j.Counts()
		rig.Must(t, err)
		if counts.Pending != 2 || counts.Oldest.IsZero() {
			t.Errorf("pending while offline: %+v", counts)
		}
	})
	r.Remote.SetOffline(false)
	r.Run()
	r.Same()
	r.Quiet()
}

func TestNewSourceIsRefused(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(20)
	r.Run()
	before := r.RemoteFiles()
	rig.Must(t, os.Rename(r.Source, r.Source+".away"))
	rig.Must(t, os.Mkdir(r.Source, 0o755))
	r.Write("other", "o")
	if _, err := r.Try(); !errors.Is(err, engine.ErrNewSource) {
		t.Fatalf("want ErrNewSource, got %v", err)
	}
	if diff := cmp.Diff(before, r.RemoteFiles()); diff != "" {
		t.Errorf("the remote was touched:\n%s", diff)
	}
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		rig.Must(t, journal.Update(j, func(s *journal.Decisions) { s.NewSourceApproved = true }))
	})
	if sum := r.Run(); sum.Sent != 1 || sum.Held != 20 {
		t.Errorf("an approved source still needs its deletes approved: %+v", sum)
	}
	if sum := r.Run(); sum.Held != 20 {
		t.Errorf("the new source is not remembered: %+v", sum)
	}
}

func TestSourceGone(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(3)
	r.Run()
	rig.Must(t, os.Rename(r.Source, r.Source+".away"))
	if _, err := r.Try(); !errors.Is(err, snapshot.ErrSourceGone) {
		t.Errorf("want ErrSourceGone, got %v", err)
	}
}

func TestRetain(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	r.Fill(4)
	r.Run()
	saved, err := os.ReadFile(filepath.Join(r.Source, "f00"))
	rig.Must(t, err)
	r.Remove("f00")
	r.Remove("f01")
	if sum := r.Run(); sum.Deleted != 0 || len(r.RemoteFiles()) != 4 {
		t.Errorf("retained files went: %+v", sum)
	}
	r.Quiet()
	r.Write("f00", string(saved))
	if sum := r.Run(); sum.Sent != 0 {
		t.Errorf("what came back was sent again: %+v", sum)
	}
	r.Cfg.CompleteSync = true
	if sum := r.Run(); sum.Deleted != 1 {
		t.Errorf("turning to --complete-sync: %+v", sum)
	}
	r.Same()
}

func TestAdoption(t *testing.T) {
	md5, _ := snapshot.ParseHashType("md5")
	byTime, byHash, byNothing := rig.FullCaps, rig.FullCaps, rig.FullCaps
	byHash.Precision, byHash.SetModTime, byHash.Hash = 0, false, md5
	byNothing.Precision, byNothing.SetModTime = 0, false
	for name, caps := range map[string]remote.Caps{"mtime": byTime, "hash": byHash, "size and upload time": byNothing} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, caps)
			r.Cfg.MaxDelete = guard.MaxDelete{}
			r.Fill(3)
			for i := range 3 {
				path := fmt.Sprintf("f%02d", i)
				info, err := os.Stat(filepath.Join(r.Source, path))
				rig.Must(t, err)
				r.Remote.Put(path, fmt.Sprintf("content %d", i), info.ModTime())
			}
			r.Remote.Put("f02", "of another size", time.Unix(1, 0))
			r.Remote.Put("dir/extra", "e", time.Unix(1, 0))
			sum := r.Run()
			if sum.Sent != 1 || sum.Deleted != 0 || sum.Held != 1 {
				t.Errorf("want one sent and one held: %+v\n%s", sum, r.Remote.Log())
			}
			if sum := r.Run(); sum.Deleted != 0 || sum.Held != 1 {
				t.Errorf("want it held until it is approved: %+v", sum)
			}
			r.Approve()
			if sum := r.Run(); sum.Deleted != 1 || sum.Held != 0 {
				t.Errorf("after approval: %+v", sum)
			}
			r.Same()
			r.Quiet()
		})
	}
}

func TestDirectoryRenameIsOneOperation(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	for i := range 50 {
		r.Write(fmt.Sprintf("old/sub%d/f%02d", i%5, i), fmt.Sprintf("content %d", i))
	}
	r.Run()
	r.Remote.ResetLog()
	r.Rename("old", "new")
	sum := r.Run()
	if sum.Moved != 1 || sum.SavedBytes == 0 {
		t.Errorf("got %+v", sum)
	}
	if want := "dirmove old -> new\n"; r.Remote.Log() != want {
		t.Errorf("effects:\n%swant:\n%s", r.Remote.Log(), want)
	}
	r.Same()
	r.Quiet()
}

func TestRefusedMoveFindsAnotherWay(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	for i := range 5 {
		r.Write(fmt.Sprintf("old/f%d", i), fmt.Sprintf("content %d", i))
	}
	r.Run()
	r.Rename("old", "new")
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name != "dirmove" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrCannotMove}
	}
	if sum := r.Run(); sum.Moved != 5 || sum.Sent != 0 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

func TestBaseThatWasWrongIsCorrected(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "content of a")
	r.Write("d/x", "content of x")
	r.Write("d/y", "content of y")
	r.Run()
	r.Remote.Remove("a") // by somebody else
	r.Remote.Remove("d")
	r.Rename("a", "b")
	r.Rename("d", "e")
	if sum := r.Run(); sum.Sent != 3 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

func TestFileThatChangesWhileItIsRead(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("f", strings.Repeat("before", 1000))
	var once sync.Once
	r.Events = func(ev event.Event) {
		if ev.Type == event.StepStart {
			once.Do(func() { r.Write("f", "after, and of another size") })
		}
	}
	r.Run()
	r.Same()
	if !strings.Contains(strings.Join(r.RemoteFiles(), "\n"), "after") {
		t.Errorf("remote has %v", r.RemoteFiles())
	}
}

func TestFailedPathsDoNotStopTheRest(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(10)
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Path != "f03" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrPermission}
	}
	sum := r.Run()
	if sum.Sent != 9 || sum.Failed != 1 || len(sum.Failures) != 1 || sum.Failures[0].Path != "f03" {
		t.Errorf("got %+v", sum)
	}
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		rows, err := j.Failures(10)
		rig.Must(t, err)
		if len(rows) != 1 || rows[0].Class != "permission" {
			t.Errorf("failures in the journal: %+v", rows)
		}
	})
	r.Remote.Fail = nil
	if sum := r.Run(); sum.Sent != 1 || sum.Failed != 0 {
		t.Errorf("not tried again: %+v", sum)
	}
	r.Same()
}

func TestTemporaryFailureIsRetried(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("f", "x")
	r.Remote.FailNth(2, enginetest.Fault{When: enginetest.Before, Err: remote.ErrTemporary}) // 1 is the listing
	if sum := r.Run(); sum.Sent != 1 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

func TestBackup(t *testing.T) {
	caps := rig.FullCaps
	caps.Backup = true
	r := rig.New(t, caps)
	r.Write("edited", "first")
	r.Write("deleted", "d")
	r.Run()
	r.Write("edited", "second, longer")
	r.Remove("deleted")
	r.Run()
	var got []string
	for _, n := range r.Remote.Backups() {
		got = append(got, n.Path+"="+n.Content)
	}
	if diff := cmp.Diff([]string{"deleted=d", "edited=first"}, got); diff != "" {
		t.Errorf("backups (-want +got):\n%s", diff)
	}
	r.Same()
}

func TestCancelLeavesEverythingPending(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(20)
	ctx, cancel := context.WithCancel(context.Background())
	r.Events = func(ev event.Event) {
		if ev.Type == event.StepDone {
			cancel()
		}
	}
	r.Cfg.Transfers = 1
	r.With(func(e *engine.Engine, _ *journal.Journal) {
		if _, err := e.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("want context.Canceled, got %v", err)
		}
	})
	r.Events = nil
	if sum := r.Run(); sum.Sent == 0 || sum.Sent == 20 {
		t.Errorf("want the rest, and not what was acknowledged: %+v", sum)
	}
	r.Same()
	r.Quiet()
}

func TestVerifyAndRepair(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(5)
	r.Run()
	r.Remote.Remove("f00")
	r.Remote.Put("f01", "tampered with", time.Unix(5, 0))
	r.Remote.Put("extra", "e", time.Unix(5, 0))
	r.With(func(e *engine.Engine, _ *journal.Journal) {
		report, err := e.Verify(context.Background(), engine.VerifyOptions{Repair: true})
		rig.Must(t, err)
		if len(report.Missing) != 1 || len(report.Differs) != 1 || len(report.Extra) != 1 || report.Repaired != 3 {
			t.Errorf("got %+v", *report)
		}
	})
	if sum := r.Run(); sum.Sent != 2 || sum.Deleted != 1 {
		t.Errorf("repair: %+v", sum)
	}
	r.Same()
}

func TestPlanWritesNothing(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(3)
	r.Run()
	r.Write("new", "n")
	before, ops := digestOf(t, r.DB), r.Remote.Ops()
	j, err := journal.OpenReadOnly(r.DB)
	rig.Must(t, err)
	cfg := r.Cfg
	cfg.Scan.Root, cfg.Journal, cfg.Connect = r.Source, j, r.Remote.Connect
	e, err := engine.New(cfg)
	rig.Must(t, err)
	preview, err := e.Plan(context.Background())
	rig.Must(t, err)
	rig.Must(t, j.Close())
	if len(preview.Plan.Steps) != 1 || preview.Plan.Steps[0].Path != "new" {
		t.Errorf("got %+v", preview.Plan.Steps)
	}
	if digestOf(t, r.DB) != before {
		t.Errorf("plan changed the journal")
	}
	if r.Remote.Ops() != ops {
		t.Errorf("plan asked the remote although its capabilities are known")
	}
}

// A plan is shown after a first run that never reached the remote.
func TestPlanBeforeAdoption(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(2)
	r.Remote.SetOffline(true)
	r.Fails(remote.ErrOffline)
	r.Remote.SetOffline(false)
	j, err := journal.OpenReadOnly(r.DB)
	rig.Must(t, err)
	cfg := r.Cfg
	cfg.Scan.Root, cfg.Journal, cfg.Connect = r.Source, j, r.Connect
	e, err := engine.New(cfg)
	rig.Must(t, err)
	preview, err := e.Plan(context.Background())
	rig.Must(t, err)
	if len(preview.Plan.Steps) != 2 {
		t.Errorf("got %+v", preview.Plan.Steps)
	}
	rig.Must(t, errors.Join(e.Close(), j.Close()))
}

// digestOf is the content of a file, and the names beside it.
func digestOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	rig.Must(t, err)
	names, err := filepath.Glob(filepath.Dir(path) + "/*")
	rig.Must(t, err)
	return string(content) + strings.Join(names, "\n")
}

func TestRenamedAndEditedIsAMoveAndASend(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "first content")
	r.Run()
	r.Rename("a", "b")
	r.Write("b", "second, and longer")
	if sum := r.Run(); sum.Moved != 1 || sum.Sent != 1 || sum.Deleted != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

func TestReusedInodeIsNotAMove(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("old", "first content")
	r.Run()
	r.Remove("old")
	r.Write("new", "second, and longer") // ext4 gives it the inode of old
	if sum := r.Run(); sum.Moved != 0 || sum.Sent != 1 || sum.Deleted != 1 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

func TestDeletesWaitForSends(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("gone", "g")
	r.Run()
	for round := range 3 { // the journal's numbers go on from cycle to cycle
		r.Remove("gone")
		for i := range 20 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprintf("round %d", round))
		}
		r.Remote.ResetLog()
		r.Run()
		log := strings.Split(strings.TrimSpace(r.Remote.Log()), "\n")
		if log[len(log)-1] != "delete gone" {
			t.Fatalf("round %d: the delete did not wait:\n%s", round, r.Remote.Log())
		}
		r.Write("gone", "g")
		r.Run()
	}
}

func TestEmptyDirectoriesTurnedOnLater(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("full/f", "f")
	rig.Must(t, os.MkdirAll(filepath.Join(r.Source, "a/empty"), 0o755))
	r.Run()
	if strings.Contains(r.Remote.String(), "empty") {
		t.Fatalf("made without being asked for:\n%s", r.Remote)
	}
	r.Cfg.EmptyDirs = true
	r.Run()
	if !strings.Contains(r.Remote.String(), "a/empty/\n") {
		t.Errorf("not made:\n%s", r.Remote)
	}
	r.Same()
	r.Quiet()
	r.Remove("a")
	if r.Run(); strings.Contains(r.Remote.String(), "empty") {
		t.Errorf("not removed:\n%s", r.Remote)
	}
}

// TestPowerCut loses, with the power, what a volatile remote had acknowledged and not flushed.
func TestPowerCut(t *testing.T) {
	caps := rig.FullCaps
	caps.Volatile = true
	r := rig.New(t, caps)
	r.Cfg.Boot = "first"
	r.Fill(5)
	r.Run()
	if r.Remote.Count("flush") != 1 {
		t.Errorf("flushed %d times after a run with steps", r.Remote.Count("flush"))
	}
	r.Quiet()
	r.Write("f00", "edited, and lost")
	r.Write("new", "cut off")
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name != "flush" {
			return nil
		}
		return &enginetest.Fault{Err: errInjected}
	}
	if _, err := r.Try(); !errors.Is(err, errInjected) {
		t.Fatalf("want the flush to fail, got %v", err)
	}
	r.Remote.Fail = nil
	r.Remote.Put("f00", "content 0", time.Unix(7, 0))
	r.Remote.Put("new", "", time.Unix(8, 0))
	r.Cfg.Boot = "second"
	if sum := r.Run(); sum.Sent != 2 {
		t.Errorf("want both sent again: %+v", sum)
	}
	r.Same()
	r.Quiet()
}

// A renamed directory carries an empty one that is retained to where another directory comes, whose files move one by one.
func TestRetainedDirectoryIsCarriedIntoTheWay(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	r.Remote.Put("a/x/old", "", time.Now())
	r.Remote.Remove("a/x/old") // which leaves the directory
	for _, path := range []string{"a/f", "a/g", "b/h", "b/i"} {
		r.Write(path, "content of "+path)
	}
	r.Run()
	r.Rename("a", "c")
	r.Rename("b", "c/x")
	if sum := r.Run(); sum.Failed != 0 || sum.Sent != 0 || sum.Moved != 3 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

// TestFileTakesThePlaceOfWhatIsRetained needs a person to agree that what is retained goes.
func TestFileTakesThePlaceOfWhatIsRetained(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	r.Write("d/gone", "retained")
	r.Write("d/sub/stays", "s")
	r.Write("other", "o")
	r.Run()
	r.Remove("d/gone")
	r.Run() // retained from here on
	r.Remove("d")
	r.Write("d", "a file now")
	r.Write("other", "edited, and sent all the same")
	sum := r.Run()
	if sum.Held == 0 || sum.Deleted != 0 || sum.Sent != 1 {
		t.Fatalf("want the deletes held and the rest sent: %+v\n%s", sum, r.Remote.Log())
	}
	r.Approve()
	if sum := r.Run(); sum.Held != 0 || sum.Failed != 0 || sum.Sent != 1 {
		t.Errorf("after approval: %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

// TestHeldPlanCannotFreeItself renames every file by copy and delete, as ransomware does: what is sent
// all the same doubles the base, and half of that is no reason to let the deletes through.
func TestHeldPlanCannotFreeItself(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(20)
	r.Run()
	for i := range 20 {
		r.Remove(fmt.Sprintf("f%02d", i))
		r.Write(fmt.Sprintf("f%02d.enc", i), fmt.Sprintf("encrypted %d, and longer", i))
	}
	for range 3 {
		if sum := r.Run(); sum.Held != 20 || sum.Deleted != 0 {
			t.Fatalf("held deletes went through: %+v", sum)
		}
	}
	r.Approve()
	if sum := r.Run(); sum.Deleted != 20 {
		t.Errorf("after approval: %+v", sum)
	}
	r.Same()
}

func TestVerifyChecksumReadsTheContent(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("f", "good")
	r.Run()
	info, err := os.Stat(filepath.Join(r.Source, "f"))
	rig.Must(t, err)
	r.Remote.Put("f", "evil", info.ModTime()) // the same size and mtime
	r.With(func(e *engine.Engine, _ *journal.Journal) {
		report, err := e.Verify(context.Background(), engine.VerifyOptions{})
		rig.Must(t, err)
		if !report.Clean() {
			t.Errorf("nothing but the content differs, yet: %+v", *report)
		}
		report, err = e.Verify(context.Background(), engine.VerifyOptions{Checksum: true, Repair: true})
		rig.Must(t, err)
		if len(report.Differs) != 1 {
			t.Errorf("with checksum: %+v", *report)
		}
	})
	if sum := r.Run(); sum.Sent != 1 {
		t.Errorf("not repaired: %+v", sum)
	}
	r.Same()
}
