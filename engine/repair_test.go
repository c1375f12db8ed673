package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// listsNoMtimes is a remote like S3, whose listing gives hashes only.
func (r *rig) listsNoMtimes() {
	r.remote.Caps.Hash, _ = snapshot.ParseHashType("md5")
	r.wrap = func(c remote.Connection) remote.Connection {
		return &wrapped{Connection: c, list: func(there *remote.Object) { there.Entry.Mtime = 0 }}
	}
}

func TestVerifyWithoutListedMtimes(t *testing.T) {
	r := newRig(t, fullCaps)
	r.listsNoMtimes()
	r.fill(3)
	r.run()
	if report := r.verify(engine.VerifyOptions{}); !report.Clean() || report.Checked != 3 {
		t.Errorf("got %+v", report)
	}
}

// What has the right hash is adopted without a request for each file to set its mtime.
func TestAdoptionWithoutListedMtimes(t *testing.T) {
	r := newRig(t, fullCaps)
	r.listsNoMtimes()
	r.fill(3)
	for i := range 3 {
		path := fmt.Sprintf("f%02d", i)
		r.remote.Put(path, fmt.Sprintf("content %d", i), r.mtime(path))
	}
	if sum := r.run(); sum.Touched != 0 || sum.Sent != 0 || sum.Failed != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

// What differs is not forgotten by a repair: it still goes when the source removes it.
func TestRepairedFileIsDeleted(t *testing.T) {
	r := newRig(t, fullCaps)
	r.fill(5)
	r.run()
	r.remote.Put("f01", "tampered with", time.Unix(5, 0))
	if report := r.verify(engine.VerifyOptions{Repair: true}); report.Repaired != 1 {
		t.Fatalf("got %+v", report)
	}
	r.remove("f01")
	if sum := r.run(); sum.Deleted != 1 || sum.Sent != 0 {
		t.Errorf("got %+v", sum)
	}
	r.same()
}

// What differs is backed up when the next run after a repair replaces it.
func TestRepairedFileIsBackedUp(t *testing.T) {
	caps := fullCaps
	caps.Backup = true
	r := newRig(t, caps)
	r.fill(5)
	r.run()
	r.remote.Put("f01", "tampered with", time.Unix(5, 0))
	if report := r.verify(engine.VerifyOptions{Repair: true}); report.Repaired != 1 {
		t.Fatalf("got %+v", report)
	}
	r.run()
	if got := r.remote.Backups(); len(got) != 1 || got[0].Path != "f01" || got[0].Content != "tampered with" {
		t.Errorf("backups %+v\n%s", got, r.remote.Log())
	}
	r.same()
}

// A file that turned into a directory on the remote, and the other way round, is repaired.
func TestRepairOfAnotherKind(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("f", "content")
	r.write("d/x", "x")
	r.run()
	r.remote.Lenient = true
	r.remote.Remove("f")
	r.remote.Put("f/in", "somebody's", time.Unix(1, 0))
	r.remote.Remove("d")
	r.remote.Put("d", "a file now", time.Unix(1, 0))
	r.verify(engine.VerifyOptions{Repair: true})
	for range 2 {
		_, err := r.try()
		must(t, err)
	}
	r.same()
	r.quiet()
}

// A repair first finds out what became of a directory's move in doubt.
func TestRepairWhileAMoveIsInDoubt(t *testing.T) {
	r := newRig(t, fullCaps)
	r.moveInDoubt()
	r.verify(engine.VerifyOptions{Repair: true})
	r.remove("e/f1")
	if sum := r.run(); sum.Sent != 0 || sum.Deleted != 1 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

// moveInDoubt loses the remote's answer to the move of a directory d to e.
func (r *rig) moveInDoubt() {
	r.t.Helper()
	for i := range 5 {
		r.write(fmt.Sprintf("d/f%d", i), fmt.Sprintf("content %d", i))
	}
	r.run()
	r.rename("d", "e")
	r.remote.Fail = cut("dirmove", enginetest.After)
	r.fails(remote.ErrOffline)
	r.remote.Fail = nil
}

// After a reboot the look at a volatile remote comes after that at what is in doubt.
func TestRebootWhileAMoveIsInDoubt(t *testing.T) {
	caps := fullCaps
	caps.Volatile = true
	r := newRig(t, caps)
	r.cfg.Boot = "first"
	r.moveInDoubt()
	r.cfg.Boot = "second"
	r.remove("e/f1")
	if sum := r.run(); sum.Sent != 0 || sum.Deleted != 1 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}

// After a reboot the disk is not mounted, and its place is empty: nothing is sent there.
func TestRebootWithoutTheDisk(t *testing.T) {
	caps := fullCaps
	caps.Volatile = true
	r := newRig(t, caps)
	r.cfg.Boot = "first"
	r.fill(20)
	r.run()
	r.write("new", "n")
	r.remote.Fail = every("flush", enginetest.Fault{Err: errInjected})
	r.fails(errInjected)
	r.remote.Fail = nil
	for _, n := range r.remote.Tree() {
		r.remote.Remove(n.Path)
	}
	r.cfg.Boot = "second"
	r.fails(remote.ErrNewRemote)
	if got := r.remoteFiles(); len(got) != 0 {
		t.Errorf("sent to where the disk should be: %v", got)
	}
}
