package engine_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// A person who asks for retries where nothing fails gets a loop that rests.
func TestLoopRetryNothing(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("f", "1") }, func(t *testing.T, s *stay) {
		must(t, s.Retry())
		s.pass(time.Second)
		s.is(engine.LoopIdle)
	})
}

// What fails and is then held, so that it is not tried, does not keep the loop busy.
func TestLoopFailsThenHeld(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete, r.cfg.Retries = engine.MaxDelete{}, 1
		r.remote.Fail = every("delete", enginetest.Fault{Err: remote.ErrPermission})
		for i := range 20 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		for i := range 15 {
			s.remove(fmt.Sprintf("f%02d", i))
			if i == 4 {
				s.seen()
				s.pass(6 * time.Second)
			}
		}
		s.seen()
		s.pass(30 * time.Second)
		s.is(engine.LoopHeld)
		before := s.Status().Cycles
		s.pass(30 * time.Minute)
		if n := s.Status().Cycles - before; n > 40 {
			t.Errorf("%d cycles in half an hour", n)
		}
	})
}

// What is held stays held when one more goes, long afterwards.
func TestLoopHeldAndOneMore(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 40 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		for i := range 25 {
			s.remove(fmt.Sprintf("f%02d", i))
			s.seen()
			s.pass(10 * time.Second)
		}
		s.is(engine.LoopHeld)
		s.pass(2 * time.Hour)
		s.remove("f30")
		s.seen()
		s.pass(10 * time.Second)
		s.is(engine.LoopHeld)
		if got := len(s.remoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
	})
}

// Work that deletes nothing does not make deletes that are far apart count together.
func TestLoopSpreeEnds(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 40 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		for i := range 25 {
			s.remove(fmt.Sprintf("f%02d", i))
			for j := range 4 {
				s.write("work", fmt.Sprint(i, j))
				s.seen()
				s.pass(5 * time.Minute)
			}
		}
		s.equal()
		s.is(engine.LoopIdle)
	})
}

// What a person approves while a run is under way is not forgotten by that run.
func TestApproveDuringARun(t *testing.T) {
	var approve atomic.Bool
	var s *stay
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 40 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
		r.events = func(ev event.Event) {
			if ev.Type == event.Phase && ev.Text == "scanning" && approve.CompareAndSwap(true, false) {
				must(t, s.journal.Update(func(st *journal.State) { st.ApprovedDigest = st.HeldDigest }))
				s.Wake()
			}
		}
	}, func(t *testing.T, stay *stay) {
		s = stay
		for i := range 25 {
			s.remove(fmt.Sprintf("f%02d", i))
			s.seen()
			s.pass(10 * time.Second)
		}
		s.is(engine.LoopHeld)
		s.pass(20 * time.Minute) // the reason changes
		approve.Store(true)
		s.write("new", "1")
		s.seen()
		s.pass(10 * time.Second)
		s.equal()
		s.is(engine.LoopIdle)
	})
}

// A move that the remote refuses is done in another way at once.
func TestLoopMoveRefused(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.write("old/f", "1")
		r.write("old/g", "2")
		r.remote.Fail = every("dirmove", enginetest.Fault{Err: remote.ErrCannotMove})
	}, func(t *testing.T, s *stay) {
		s.rename("old", "new")
		s.seen()
		s.pass(7 * time.Second)
		s.equal()
		s.is(engine.LoopIdle)
	})
}

// A path that cannot be sent at all is tried less and less often.
func TestLoopProblemIsSetAside(t *testing.T) {
	caps := fullCaps
	caps.CaseInsensitive = true
	stays(t, caps, func(r *rig) { r.write("f", "1") }, func(t *testing.T, s *stay) {
		s.write("a", "1")
		s.write("A", "2")
		s.seen()
		s.pass(time.Second)
		before := s.Status().Cycles
		s.pass(30 * time.Minute)
		if n := s.Status().Cycles - before; n > 10 {
			t.Errorf("%d cycles", n)
		}
	})
}

// A path has grace, and what went above it has none any more: both go together.
func TestLoopGraceBeneath(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("d/x", "x"); r.write("d/y", "y"); r.write("keep", "3") }, func(t *testing.T, s *stay) {
		s.remove("d")
		s.Hint(hint.Hint{Path: "d", Gone: true})
		s.pass(3 * time.Second)
		s.Hint(hint.Hint{Path: "d/x", Gone: true})
		s.pass(10 * time.Second)
		s.equal()
		s.sound()
	})
}

// A file that is replaced by removing it again and again is never quiet, and is sent all the same.
func TestLoopNeverQuietByRemoval(t *testing.T) {
	stays(t, fullCaps, nil, func(t *testing.T, s *stay) {
		for i := range 200 {
			s.remove("f")
			s.seen()
			s.pass(10 * time.Millisecond)
			s.write("f", fmt.Sprint(i))
			s.seen()
			s.pass(300 * time.Millisecond)
		}
		if len(s.remoteFiles()) == 0 {
			t.Error("never sent in a minute")
		}
	})
}

// While the remote is away, so is the mapping, also while it is asked whether it is back.
func TestLoopOfflineSince(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.write("f", "1")
		r.write("g", "1")
		r.run()
		r.remove("f")
		r.remote.SetOffline(true)
	}, func(t *testing.T, s *stay) {
		s.is(engine.LoopOffline)
		since := s.Status().Since
		s.pass(10 * time.Minute)
		if st := s.Status(); !st.Since.Equal(since) {
			t.Errorf("offline since %v, and then since %v", since, st.Since)
		}
	})
}

// A process that begins anew holds what the one before it held, also if one more goes.
func TestLoopHeldAcrossRestart(t *testing.T) {
	var kept *rig
	stays(t, fullCaps, func(r *rig) {
		kept = r
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 40 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		for i := range 25 {
			s.remove(fmt.Sprintf("f%02d", i))
			s.seen()
			s.pass(10 * time.Second)
		}
		s.is(engine.LoopHeld)
	})
	kept.t = t
	staysOn(t, kept, func(t *testing.T, s *stay) {
		s.is(engine.LoopHeld)
		s.remove("f30")
		s.seen()
		s.pass(10 * time.Second)
		s.is(engine.LoopHeld)
		if got := len(s.remoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
	})
}

// What comes and goes while a spree lasts was never there to be lost.
func TestLoopChurnIsNoSpree(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 20 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		for i := range 30 {
			s.write("lock", fmt.Sprint(i))
			s.stamp("lock", time.Now())
			s.seen()
			s.pass(20 * time.Second)
			s.remove("lock")
			s.seen()
			s.pass(20 * time.Second)
			s.is(engine.LoopIdle)
		}
		s.equal()
	})
}

// A move that the remote refused once is tried again by the next run.
func TestLoopTriesMovesAgain(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("a", "1"); r.write("b", "2") }, func(t *testing.T, s *stay) {
		s.remote.Fail = every("move", enginetest.Fault{Err: remote.ErrCannotMove})
		s.rename("a", "c")
		s.seen()
		s.pass(6 * time.Second)
		s.equal()
		s.remote.Fail = nil
		s.remote.ResetLog()
		s.rename("b", "d")
		s.seen()
		s.pass(time.Second)
		s.equal()
		if s.remote.Count("move") != 1 || s.remote.Count("send") != 0 {
			t.Errorf("not moved:\n%s", s.remote.Log())
		}
	})
}
