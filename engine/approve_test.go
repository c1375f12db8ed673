package engine_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
)

// --approve lets through what was shown, and not what a second round of the same run finds.
func TestApproveInASecondRound(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(40)
	r.Run()
	for i := range 25 {
		r.Remove(fmt.Sprintf("f%02d", i))
	}
	if sum := r.Run(); sum.Held != 25 {
		t.Fatalf("got %+v", sum)
	}
	r.Cfg.Approve = true
	r.Write("new", "n")
	r.DuringFirstStep(func() {
		for i := range 15 {
			r.Remove(fmt.Sprintf("f%02d", 25+i))
		}
		r.Remove("new") // vanished: that makes another round
	})
	if sum := r.Run(); sum.Deleted > 25 {
		t.Errorf("%d deleted, 25 were shown", sum.Deleted)
	}
}

// A source that is unmounted between two rounds is noticed, however few its files are.
func TestSourceSwappedBetweenRounds(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(8)
	r.Run()
	r.Write("new", "n")
	r.DuringFirstStep(func() {
		rig.Must(t, os.Rename(r.Source, r.Source+".away"))
		rig.Must(t, os.Mkdir(r.Source, 0o755))
	})
	r.Fails(engine.ErrNewSource)
	if n := len(r.RemoteFiles()); n != 8 {
		t.Errorf("%d files on the remote, want 8\n%s", n, r.Remote.Log())
	}
}

// What is retained where a file is to come goes once that is approved.
func TestFileTakesThePlaceOfADirectoryThatIsAllRetained(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Cfg.CompleteSync = false
	r.Write("d/x", "content x")
	r.Write("d/y", "content y")
	r.Run()
	r.Remove("d")
	r.Run()
	r.Write("d", "a file now")
	if sum := r.Run(); sum.Held == 0 || sum.Failed != 0 || sum.Deleted != 0 {
		t.Fatalf("want the deletes held: %+v\n%s", sum, r.Remote.Log())
	}
	r.Approve()
	if sum := r.Run(); sum.Held != 0 || sum.Failed != 0 || sum.Sent != 1 {
		t.Errorf("after approval: %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
	r.Quiet()
}

// A rename onto another file takes that one away: it is held as its delete is, and is no failure.
func TestRenameOntoAnotherFileIsHeld(t *testing.T) {
	caps := rig.FullCaps
	caps.Backup = true
	r := rig.New(t, caps)
	var err error
	r.Cfg.MaxDelete, err = guard.ParseMaxDelete("0")
	rig.Must(t, err)
	r.Fill(3)
	r.Run()
	r.Rename("f00", "f01")
	if sum := r.Run(); sum.Held != 1 || sum.Failed != 0 || sum.Moved != 0 {
		t.Errorf("got %+v\n%s", sum, r.Remote.Log())
	}
	r.Approve()
	if sum := r.Run(); sum.Held != 0 || sum.Failed != 0 || sum.Sent != 0 {
		t.Errorf("after approval: %+v\n%s", sum, r.Remote.Log())
	}
	r.Same()
}
