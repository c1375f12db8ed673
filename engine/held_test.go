package engine_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/journal"
)

// What is held stays held, whichever way the next look comes: by a process that stays, one that starts again, a run or a plan,
// with whatever limit. A part of it that is back takes nothing else along.
func TestHeldAcrossWaysIn(t *testing.T) {
	var err error
	r := newGuardedRig(t)
	r.Fill(40)
	r.Run()
	most, everything := guard.MaxDelete{}, guard.MaxDelete{}
	everything, err = guard.ParseMaxDelete("100%")
	rig.Must(t, err)
	stays := func(t *testing.T) {
		rig.StaysOn(t, r, func(t *testing.T, s *rig.Stay) {
			s.Pass(3 * time.Hour)
			s.Is(loop.Held)
		})
	}
	once := func(t *testing.T) {
		if sum := r.Run(); sum.Held == 0 || sum.Deleted != 0 {
			t.Errorf("got %+v\n%s", sum, r.Remote.Log())
		}
	}
	plan := func(t *testing.T) {
		p := r.Plan()
		if p.Hold == nil {
			t.Fatal("nothing is shown as held")
		}
		for i := range p.Plan.Steps {
			if s := &p.Plan.Steps[i]; s.Action == journal.Delete && !s.Held {
				t.Errorf("%v %s is not shown as held", s.Action, s.Path)
			}
		}
	}
	for i := range 25 {
		r.Remove(fmt.Sprintf("f%02d", i))
	}
	ways := []func(*testing.T){stays, once, plan, stays, plan, once, once}
	for n, way := range ways {
		r.Cfg.MaxDelete = []guard.MaxDelete{most, everything}[min(n, 1)] // it was held under the first
		if n == 4 {
			for i := range 20 {
				r.Write(fmt.Sprintf("f%02d", i), "back, and another one")
			}
			r.Cfg.MaxDelete = most // which five would pass
		}
		t.Run(fmt.Sprint("look ", n), way)
		r.T = t
		if got := len(r.RemoteFiles()); got != 40 {
			t.Fatalf("look %d: %d files are left", n, got)
		}
	}
	r.Approve()
	if sum := r.Run(); sum.Held != 0 || sum.Deleted != 5 {
		t.Errorf("after approval: %+v", sum)
	}
	r.Same()
	rig.Must(t, os.Remove(r.Source+"/f30"))
	if sum := r.Run(); sum.Deleted != 1 {
		t.Errorf("another one, afterwards: %+v", sum)
	}
}

// Deletes in portions count together from process to process.
func TestPortionsAcrossRuns(t *testing.T) {
	r := newGuardedRig(t)
	r.Fill(40)
	r.Run()
	for i := range 40 {
		r.Write(fmt.Sprintf("f%02d", i), "edited")
		r.Remove(fmt.Sprintf("f%02d", i))
		r.Run()
	}
	if got := len(r.RemoteFiles()); got < 19 {
		t.Errorf("%d files are left", got)
	}
}
