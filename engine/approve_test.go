package engine_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/event"
)

// --approve lets through what was shown, and not what a second round of the same run finds.
func TestApproveInASecondRound(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(40)
	r.run()
	for i := range 25 {
		r.remove(fmt.Sprintf("f%02d", i))
	}
	if sum := r.run(); sum.Held != 25 {
		t.Fatalf("got %+v", sum)
	}
	r.cfg.Approve = true
	r.write("new", "n")
	r.duringFirstStep(func() {
		for i := range 15 {
			r.remove(fmt.Sprintf("f%02d", 25+i))
		}
		r.remove("new") // vanished: that makes another round
	})
	if sum := r.run(); sum.Deleted > 25 {
		t.Errorf("%d deleted, 25 were shown", sum.Deleted)
	}
}

// duringFirstStep does something once, when the next run starts its first step.
func (r *rig) duringFirstStep(do func()) {
	var once sync.Once
	r.events = func(ev event.Event) {
		if ev.Type == event.StepStart {
			once.Do(do)
		}
	}
}

// A source that is unmounted between two rounds is noticed, however few its files are.
func TestSourceSwappedBetweenRounds(t *testing.T) {
	r := newGuardedRig(t)
	r.fill(8)
	r.run()
	r.write("new", "n")
	r.duringFirstStep(func() {
		must(t, os.Rename(r.source, r.source+".away"))
		must(t, os.Mkdir(r.source, 0o755))
	})
	r.fails(engine.ErrNewSource)
	if n := len(r.remoteFiles()); n != 8 {
		t.Errorf("%d files on the remote, want 8\n%s", n, r.remote.Log())
	}
}

// What is retained where a file is to come goes once that is approved.
func TestFileTakesThePlaceOfADirectoryThatIsAllRetained(t *testing.T) {
	r := newRig(t, fullCaps)
	r.cfg.CompleteSync = false
	r.write("d/x", "content x")
	r.write("d/y", "content y")
	r.run()
	r.remove("d")
	r.run()
	r.write("d", "a file now")
	if sum := r.run(); sum.Held == 0 || sum.Failed != 0 || sum.Deleted != 0 {
		t.Fatalf("want the deletes held: %+v\n%s", sum, r.remote.Log())
	}
	r.approve()
	if sum := r.run(); sum.Held != 0 || sum.Failed != 0 || sum.Sent != 1 {
		t.Errorf("after approval: %+v\n%s", sum, r.remote.Log())
	}
	r.same()
	r.quiet()
}

// A rename onto another file takes that one away: it is held as its delete is, and is no failure.
func TestRenameOntoAnotherFileIsHeld(t *testing.T) {
	caps := fullCaps
	caps.Backup = true
	r := newRig(t, caps)
	var err error
	r.cfg.MaxDelete, err = engine.ParseMaxDelete("0")
	must(t, err)
	r.fill(3)
	r.run()
	r.rename("f00", "f01")
	if sum := r.run(); sum.Held != 1 || sum.Failed != 0 || sum.Moved != 0 {
		t.Errorf("got %+v\n%s", sum, r.remote.Log())
	}
	r.approve()
	if sum := r.run(); sum.Held != 0 || sum.Failed != 0 || sum.Sent != 0 {
		t.Errorf("after approval: %+v\n%s", sum, r.remote.Log())
	}
	r.same()
}
