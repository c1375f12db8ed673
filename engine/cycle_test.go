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
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// fill writes n files f00, f01, … with distinct contents.
func (r *rig) fill(n int) {
	r.t.Helper()
	for i := range n {
		r.write(fmt.Sprintf("f%02d", i), fmt.Sprintf("content %d", i))
	}
}

func (r *rig) approve() {
	r.t.Helper()
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		must(r.t, j.Update(func(s *journal.State) { s.ApprovedDigest = s.HeldDigest }))
	})
}

// default guard: what a person gets who sets nothing but --complete-sync.
func newGuardedRig(t *testing.T) *rig {
	r := newRig(t, fullCaps)
	r.cfg.MaxDelete = engine.MaxDelete{}
	return r
}

func TestHoldFreezesOnlyDeletes(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(20)
	r.run()
	for i := range 15 {
		r.remove(fmt.Sprintf("f%02d", i))
	}
	r.write("new", "n")
	r.write("f19", "edited, and longer")
	sum := r.run()
	if sum.Held != 15 || sum.Sent != 2 || sum.Deleted != 0 || sum.Hold == nil {
		t.Fatalf("got %+v", sum)
	}
	if n := len(r.remoteFiles()); n != 21 {
		t.Errorf("%d files on the remote, want all 20 and the new one", n)
	}
	if sum := r.run(); sum.Held != 15 || sum.Sent != 0 {
		t.Errorf("held deletes are not held again: %+v", sum)
	}
	r.approve()
	if sum := r.run(); sum.Held != 0 || sum.Deleted != 15 {
		t.Errorf("after approval: %+v", sum)
	}
	r.same()
	r.quiet()
}

func TestApprovalIsForExactlyThatPlan(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(20)
	r.run()
	for i := range 15 {
		r.remove(fmt.Sprintf("f%02d", i))
	}
	r.run()
	r.approve()
	r.remove("f15") // one more than was approved
	if sum := r.run(); sum.Held != 16 || sum.Deleted != 0 {
		t.Errorf("an approval let another plan through: %+v", sum)
	}
	r.write("f15", "content 15")
	r.cfg.Approve = true // --approve, but what was shown last is the plan with 16
	if sum := r.run(); sum.Held != 15 || sum.Deleted != 0 {
		t.Errorf("--approve let a plan through that was not shown: %+v", sum)
	}
	if sum := r.run(); sum.Held != 0 || sum.Deleted != 15 {
		t.Errorf("--approve did not let the plan through that was shown: %+v", sum)
	}
}

func TestApprovedDeletesGoOnAfterAnInterruption(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(20)
	r.run()
	for i := range 18 {
		r.remove(fmt.Sprintf("f%02d", i))
	}
	r.run()
	r.approve()
	r.cfg.Transfers = 1
	r.remote.FailNth(3, enginetest.Fault{Err: remote.ErrOffline})
	r.remote.Fail = failFrom(r.remote.Ops()+3, remote.ErrOffline)
	if _, err := r.try(); !errors.Is(err, remote.ErrOffline) {
		t.Fatalf("want offline, got %v", err)
	}
	r.remote.Fail = nil
	if sum := r.run(); sum.Held != 0 {
		t.Errorf("the rest of an approved plan is held: %+v", sum)
	}
	r.same()
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
	r := newRig(t, fullCaps)
	r.fill(5)
	r.run()
	r.write("f00", "edited while the remote is away")
	r.write("new", "n")
	r.remote.SetOffline(true)
	if _, err := r.try(); !errors.Is(err, remote.ErrOffline) {
		t.Fatalf("want offline, got %v", err)
	}
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		counts, err := j.Counts()
		must(t, err)
		if counts.Pending != 2 || counts.Oldest.IsZero() {
			t.Errorf("pending while offline: %+v", counts)
		}
	})
	r.remote.SetOffline(false)
	r.run()
	r.same()
	r.quiet()
}

func TestNewSourceIsRefused(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(20)
	r.run()
	before := r.remoteFiles()
	must(t, os.Rename(r.source, r.source+".away"))
	must(t, os.Mkdir(r.source, 0o755))
	r.write("other", "o")
	if _, err := r.try(); !errors.Is(err, engine.ErrNewSource) {
		t.Fatalf("want ErrNewSource, got %v", err)
	}
	if diff := cmp.Diff(before, r.remoteFiles()); diff != "" {
		t.Errorf("the remote was touched:\n%s", diff)
	}
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		must(t, j.Update(func(s *journal.State) { s.NewSourceApproved = true }))
	})
	if sum := r.run(); sum.Sent != 1 || sum.Held != 20 {
		t.Errorf("an approved source still needs its deletes approved: %+v", sum)
	}
	if sum := r.run(); sum.Held != 20 {
		t.Errorf("the new source is not remembered: %+v", sum)
	}
}

func TestSourceGone(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(3)
	r.run()
	must(t, os.Rename(r.source, r.source+".away"))
	if _, err := r.try(); !errors.Is(err, snapshot.ErrSourceGone) {
		t.Errorf("want ErrSourceGone, got %v", err)
	}
}

func TestRetain(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.CompleteSync = false
	r.fill(4)
	r.run()
	saved, err := os.ReadFile(filepath.Join(r.source, "f00"))
	must(t, err)
	r.remove("f00")
	r.remove("f01")
	if sum := r.run(); sum.Deleted != 0 || len(r.remoteFiles()) != 4 {
		t.Errorf("retained files went: %+v", sum)
	}
	r.quiet()
	r.write("f00", string(saved))
	if sum := r.run(); sum.Sent != 0 {
		t.Errorf("what came back was sent again: %+v", sum)
	}
	r.cfg.CompleteSync = true
	if sum := r.run(); sum.Deleted != 1 {
		t.Errorf("turning to --complete-sync: %+v", sum)
	}
	r.same()
}

func TestAdoption(t *testing.T) {
	md5, _ := snapshot.ParseHashType("md5")
	byTime, byHash, byNothing := fullCaps, fullCaps, fullCaps
	byHash.Precision, byHash.SetModTime, byHash.Hash = 0, false, md5
	byNothing.Precision, byNothing.SetModTime = 0, false
	for name, caps := range map[string]remote.Caps{"mtime": byTime, "hash": byHash, "size and upload time": byNothing} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, caps)
			r.fill(3)
			for i := range 3 {
				path := fmt.Sprintf("f%02d", i)
				info, err := os.Stat(filepath.Join(r.source, path))
				must(t, err)
				r.remote.Put(path, fmt.Sprintf("content %d", i), info.ModTime())
			}
			r.remote.Put("f02", "of another size", time.Unix(1, 0))
			r.remote.Put("dir/extra", "e", time.Unix(1, 0))
			sum := r.run()
			if sum.Sent != 1 || sum.Deleted != 1 {
				t.Errorf("want one sent and one deleted: %+v\n%s", sum, r.remote.Log())
			}
			r.same()
			r.quiet()
		})
	}
}

func TestDirectoryRenameIsOneOperation(t *testing.T) {
	r := newRig(t, fullCaps)
	for i := range 50 {
		r.write(fmt.Sprintf("old/sub%d/f%02d", i%5, i), fmt.Sprintf("content %d", i))
	}
	r.run()
	r.remote.ResetLog()
	r.rename("old", "new")
	sum := r.run()
	if sum.Moved != 1 || sum.SavedBytes == 0 {
		t.Errorf("got %+v", sum)
	}
	if want := "dirmove old -> new\n"; r.remote.Log() != want {
		t.Errorf("effects:\n%swant:\n%s", r.remote.Log(), want)
	}
	r.same()
	r.quiet()
}

func TestRefusedMoveFindsAnotherWay(t *testing.T) {
	r := newRig(t, fullCaps)
	for i := range 5 {
		r.write(fmt.Sprintf("old/f%d", i), fmt.Sprintf("content %d", i))
	}
	r.run()
	r.rename("old", "new")
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name != "dirmove" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrCannotMove}
	}
	if sum := r.run(); sum.Moved != 5 || sum.Sent != 0 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

func TestBaseThatWasWrongIsCorrected(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("a", "content of a")
	r.write("d/x", "content of x")
	r.write("d/y", "content of y")
	r.run()
	r.remote.Remove("a") // by somebody else
	r.remote.Remove("d")
	r.rename("a", "b")
	r.rename("d", "e")
	if sum := r.run(); sum.Sent != 3 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
	r.quiet()
}

func TestFileThatChangesWhileItIsRead(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("f", strings.Repeat("before", 1000))
	var once sync.Once
	r.events = func(ev event.Event) {
		if ev.Type == event.StepStart {
			once.Do(func() { r.write("f", "after, and of another size") })
		}
	}
	r.run()
	r.same()
	if !strings.Contains(strings.Join(r.remoteFiles(), "\n"), "after") {
		t.Errorf("remote has %v", r.remoteFiles())
	}
}

func TestFailedPathsDoNotStopTheRest(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(10)
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Path != "f03" {
			return nil
		}
		return &enginetest.Fault{Err: remote.ErrPermission}
	}
	sum := r.run()
	if sum.Sent != 9 || sum.Failed != 1 || len(sum.Failures) != 1 || sum.Failures[0].Path != "f03" {
		t.Errorf("got %+v", sum)
	}
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		rows, err := j.Failures(10)
		must(t, err)
		if len(rows) != 1 || rows[0].Class != "permission" {
			t.Errorf("failures in the journal: %+v", rows)
		}
	})
	r.remote.Fail = nil
	if sum := r.run(); sum.Sent != 1 || sum.Failed != 0 {
		t.Errorf("not tried again: %+v", sum)
	}
	r.same()
}

func TestTemporaryFailureIsRetried(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("f", "x")
	r.remote.FailNth(2, enginetest.Fault{When: enginetest.Before, Err: remote.ErrTemporary}) // 1 is the listing
	if sum := r.run(); sum.Sent != 1 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

func TestBackup(t *testing.T) {
	caps := fullCaps
	caps.Backup = true
	r := newRig(t, caps)
	r.write("edited", "first")
	r.write("deleted", "d")
	r.run()
	r.write("edited", "second, longer")
	r.remove("deleted")
	r.run()
	var got []string
	for _, n := range r.remote.Backups() {
		got = append(got, n.Path+"="+n.Content)
	}
	if diff := cmp.Diff([]string{"deleted=d", "edited=first"}, got); diff != "" {
		t.Errorf("backups (-want +got):\n%s", diff)
	}
	r.same()
}

func TestCancelLeavesEverythingPending(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(20)
	ctx, cancel := context.WithCancel(context.Background())
	r.events = func(ev event.Event) {
		if ev.Type == event.StepDone {
			cancel()
		}
	}
	r.cfg.Transfers = 1
	r.with(func(e *engine.Engine, _ *journal.Journal) {
		if _, err := e.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("want context.Canceled, got %v", err)
		}
	})
	r.events = nil
	if sum := r.run(); sum.Sent == 0 || sum.Sent == 20 {
		t.Errorf("want the rest, and not what was acknowledged: %+v", sum)
	}
	r.same()
	r.quiet()
}

func TestVerifyAndRepair(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(5)
	r.run()
	r.remote.Remove("f00")
	r.remote.Put("f01", "tampered with", time.Unix(5, 0))
	r.remote.Put("extra", "e", time.Unix(5, 0))
	r.with(func(e *engine.Engine, _ *journal.Journal) {
		report, err := e.Verify(context.Background(), engine.VerifyOptions{Repair: true})
		must(t, err)
		if len(report.Missing) != 1 || len(report.Differs) != 1 || len(report.Extra) != 1 || report.Repaired != 3 {
			t.Errorf("got %+v", *report)
		}
	})
	if sum := r.run(); sum.Sent != 2 || sum.Deleted != 1 {
		t.Errorf("repair: %+v", sum)
	}
	r.same()
}

func TestPlanWritesNothing(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(3)
	r.run()
	r.write("new", "n")
	before, ops := digestOf(t, r.db), r.remote.Ops()
	j, err := journal.OpenReadOnly(r.db)
	must(t, err)
	cfg := r.cfg
	cfg.Scan.Root, cfg.Journal, cfg.Connect = r.source, j, r.remote.Connect
	e, err := engine.New(cfg)
	must(t, err)
	preview, err := e.Plan(context.Background())
	must(t, err)
	must(t, j.Close())
	if len(preview.Plan.Steps) != 1 || preview.Plan.Steps[0].Path != "new" {
		t.Errorf("got %+v", preview.Plan.Steps)
	}
	if digestOf(t, r.db) != before {
		t.Errorf("plan changed the journal")
	}
	if r.remote.Ops() != ops {
		t.Errorf("plan asked the remote although its capabilities are known")
	}
}

// A plan is shown after a first run that never reached the remote.
func TestPlanBeforeAdoption(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(2)
	r.remote.SetOffline(true)
	r.fails(remote.ErrOffline)
	r.remote.SetOffline(false)
	j, err := journal.OpenReadOnly(r.db)
	must(t, err)
	cfg := r.cfg
	cfg.Scan.Root, cfg.Journal, cfg.Connect = r.source, j, r.connect
	e, err := engine.New(cfg)
	must(t, err)
	preview, err := e.Plan(context.Background())
	must(t, err)
	if len(preview.Plan.Steps) != 2 {
		t.Errorf("got %+v", preview.Plan.Steps)
	}
	must(t, errors.Join(e.Close(), j.Close()))
}

// digestOf is the content of a file, and the names beside it.
func digestOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	names, err := filepath.Glob(filepath.Dir(path) + "/*")
	must(t, err)
	return string(content) + strings.Join(names, "\n")
}

func TestRenamedAndEditedIsAMoveAndASend(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("a", "first content")
	r.run()
	r.rename("a", "b")
	r.write("b", "second, and longer")
	if sum := r.run(); sum.Moved != 1 || sum.Sent != 1 || sum.Deleted != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

func TestReusedInodeIsNotAMove(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("old", "first content")
	r.run()
	r.remove("old")
	r.write("new", "second, and longer") // ext4 gives it the inode of old
	if sum := r.run(); sum.Moved != 0 || sum.Sent != 1 || sum.Deleted != 1 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

func TestDeletesWaitForSends(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("gone", "g")
	r.run()
	for round := range 3 { // the journal's numbers go on from cycle to cycle
		r.remove("gone")
		for i := range 20 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprintf("round %d", round))
		}
		r.remote.ResetLog()
		r.run()
		log := strings.Split(strings.TrimSpace(r.remote.Log()), "\n")
		if log[len(log)-1] != "delete gone" {
			t.Fatalf("round %d: the delete did not wait:\n%s", round, r.remote.Log())
		}
		r.write("gone", "g")
		r.run()
	}
}

func TestEmptyDirectoriesTurnedOnLater(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("full/f", "f")
	must(t, os.MkdirAll(filepath.Join(r.source, "a/empty"), 0o755))
	r.run()
	if strings.Contains(r.remote.String(), "empty") {
		t.Fatalf("made without being asked for:\n%s", r.remote)
	}
	r.cfg.EmptyDirs = true
	r.run()
	if !strings.Contains(r.remote.String(), "a/empty/\n") {
		t.Errorf("not made:\n%s", r.remote)
	}
	r.same()
	r.quiet()
	r.remove("a")
	if r.run(); strings.Contains(r.remote.String(), "empty") {
		t.Errorf("not removed:\n%s", r.remote)
	}
}

// TestPowerCut loses, with the power, what a volatile remote had acknowledged and not flushed.
func TestPowerCut(t *testing.T) {
	caps := fullCaps
	caps.Volatile = true
	r := newRig(t, caps)
	r.cfg.Boot = "first"
	r.fill(5)
	r.run()
	if r.remote.Count("flush") != 1 {
		t.Errorf("flushed %d times after a run with steps", r.remote.Count("flush"))
	}
	r.quiet()
	r.write("f00", "edited, and lost")
	r.write("new", "cut off")
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.Name != "flush" {
			return nil
		}
		return &enginetest.Fault{Err: errInjected}
	}
	if _, err := r.try(); !errors.Is(err, errInjected) {
		t.Fatalf("want the flush to fail, got %v", err)
	}
	r.remote.Fail = nil
	r.remote.Put("f00", "content 0", time.Unix(7, 0))
	r.remote.Put("new", "", time.Unix(8, 0))
	r.cfg.Boot = "second"
	if sum := r.run(); sum.Sent != 2 {
		t.Errorf("want both sent again: %+v", sum)
	}
	r.same()
	r.quiet()
}

// TestFileTakesThePlaceOfWhatIsRetained needs a person to agree that what is retained goes.
func TestFileTakesThePlaceOfWhatIsRetained(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.CompleteSync = false
	r.write("d/gone", "retained")
	r.write("d/sub/stays", "s")
	r.write("other", "o")
	r.run()
	r.remove("d/gone")
	r.run() // retained from here on
	r.remove("d")
	r.write("d", "a file now")
	r.write("other", "edited, and sent all the same")
	sum := r.run()
	if sum.Held == 0 || sum.Deleted != 0 || sum.Sent != 1 {
		t.Fatalf("want the deletes held and the rest sent: %+v\n%s", sum, r.remote.Log())
	}
	r.approve()
	if sum := r.run(); sum.Held != 0 || sum.Failed != 0 || sum.Sent != 1 {
		t.Errorf("after approval: %+v\n%s", sum, r.remote.Log())
	}
	r.same()
	r.quiet()
}

// TestHeldPlanCannotFreeItself renames every file by copy and delete, as ransomware does: what is sent
// all the same doubles the base, and half of that is no reason to let the deletes through.
func TestHeldPlanCannotFreeItself(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(20)
	r.run()
	for i := range 20 {
		r.remove(fmt.Sprintf("f%02d", i))
		r.write(fmt.Sprintf("f%02d.enc", i), fmt.Sprintf("encrypted %d, and longer", i))
	}
	for range 3 {
		if sum := r.run(); sum.Held != 20 || sum.Deleted != 0 {
			t.Fatalf("held deletes went through: %+v", sum)
		}
	}
	r.approve()
	if sum := r.run(); sum.Deleted != 20 {
		t.Errorf("after approval: %+v", sum)
	}
	r.same()
}

func TestVerifyChecksumReadsTheContent(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("f", "good")
	r.run()
	info, err := os.Stat(filepath.Join(r.source, "f"))
	must(t, err)
	r.remote.Put("f", "evil", info.ModTime()) // the same size and mtime
	r.with(func(e *engine.Engine, _ *journal.Journal) {
		report, err := e.Verify(context.Background(), engine.VerifyOptions{})
		must(t, err)
		if !report.Clean() {
			t.Errorf("nothing but the content differs, yet: %+v", *report)
		}
		report, err = e.Verify(context.Background(), engine.VerifyOptions{Checksum: true, Repair: true})
		must(t, err)
		if len(report.Differs) != 1 {
			t.Errorf("with checksum: %+v", *report)
		}
	})
	if sum := r.run(); sum.Sent != 1 {
		t.Errorf("not repaired: %+v", sum)
	}
	r.same()
}
