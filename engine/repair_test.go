package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

func TestVerifyWithoutListedMtimes(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.ListsNoMtimes()
	r.Fill(3)
	r.Run()
	if report := r.Verify(engine.VerifyOptions{}); !report.Clean() || report.Checked != 3 {
		t.Errorf("got %+v", report)
	}
}

// What has the right hash is adopted without a request for each file to set its mtime.
func TestAdoptionWithoutListedMtimes(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.ListsNoMtimes()
	r.Fill(3)
	for i := range 3 {
		path := fmt.Sprintf("f%02d", i)
		r.Remote.Put(path, fmt.Sprintf("content %d", i), r.Mtime(path))
	}
	if sum := r.Run(); sum.Touched != 0 || sum.Sent != 0 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

// What differs is not forgotten by a repair: it still goes when the source removes it.
func TestRepairedFileIsDeleted(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Fill(5)
	r.Run()
	r.Remote.Put("f01", "tampered with", time.Unix(5, 0))
	if report := r.Verify(engine.VerifyOptions{Repair: true}); report.Repaired != 1 {
		t.Fatalf("got %+v", report)
	}
	r.Remove("f01")
	if sum := r.Run(); sum.Deleted != 1 || sum.Sent != 0 {
		t.Errorf("got %+v", sum)
	}
	r.Same()
}

// What differs is backed up when the next run after a repair replaces it.
func TestRepairedFileIsBackedUp(t *testing.T) {
	caps := rig.FullCaps
	caps.Backup = true
	r := rig.New(t, caps)
	r.Fill(5)
	r.Run()
	r.Remote.Put("f01", "tampered with", time.Unix(5, 0))
	if report := r.Verify(engine.VerifyOptions{Repair: true}); report.Repaired != 1 {
		t.Fatalf("got %+v", report)
	}
	r.Run()
	if got := r.Remote.Backups(); len(got) != 1 || got[0].Path != "f01" || got[0].Content != "tampered with" {
		t.Errorf("backups %+v\n%s", got, r.Remote.Log())
	}
	r.Same()
}

// A file that turned into a directory on the remote, and the other way round, is repaired.
func TestRepairOfAnotherKind(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("f", "content")
	r.Write("d/x", "x")
	r.Run()
	r.Remote.Lenient = true
	r.Remote.Remove("f")
	r.Remote.Put("f/in", "somebody's", time.Unix(1, 0))
	r.Remote.Remove("d")
	r.Remote.Put("d", "a file now", time.Unix(1, 0))
	r.Verify(engine.VerifyOptions{Repair: true})
	for range 2 {
		_, err := r.Try()
		rig.Must(t, err)
	}
	r.Same()
	r.Quiet()
}

// A repair first finds out what became of a directory's move in doubt.
func TestRepairWhileAMoveIsInDoubt(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.MoveInDoubt()
	r.Verify(engine.VerifyOptions{Repair: true})
	r.Remove("e/f1")
	if sum := r.Run(); sum.Sent != 0 || sum.Deleted != 1 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

// After a reboot the look at a volatile remote comes after that at what is in doubt.
func TestRebootWhileAMoveIsInDoubt(t *testing.T) {
	caps := rig.FullCaps
	caps.Volatile = true
	r := rig.New(t, caps)
	r.Cfg.Boot = "first"
	r.MoveInDoubt()
	r.Cfg.Boot = "second"
	r.Remove("e/f1")
	if sum := r.Run(); sum.Sent != 0 || sum.Deleted != 1 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}

// After a reboot the disk is not mounted, and its place is empty: nothing is sent there.
func TestRebootWithoutTheDisk(t *testing.T) {
	caps := rig.FullCaps
	caps.Volatile = true
	r := rig.New(t, caps)
	r.Cfg.Boot = "first"
	r.Fill(20)
	r.Run()
	r.Write("new", "n")
	r.Remote.Fail = rig.Every("flush", enginetest.Fault{Err: errInjected})
	r.Fails(errInjected)
	r.Remote.Fail = nil
	for _, n := range r.Remote.Tree() {
		r.Remote.Remove(n.Path)
	}
	r.Cfg.Boot = "second"
	r.Fails(remote.ErrNewRemote)
	if got := r.RemoteFiles(); len(got) != 0 {
		t.Errorf("sent to where the disk should be: %v", got)
	}
}
