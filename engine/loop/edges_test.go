package loop_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
)

// A person who asks for retries where nothing fails gets a loop that rests.
func TestLoopRetryNothing(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("f", "1") }, func(t *testing.T, s *rig.Stay) {
		rig.Must(t, s.Retry())
		s.Pass(time.Second)
		s.Is(loop.Idle)
	})
}

// What fails and is then held, so that it is not tried, does not keep the loop busy.
func TestLoopFailsThenHeld(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete, r.Cfg.Retries = guard.MaxDelete{}, 1
		r.Remote.Fail = rig.Every("delete", enginetest.Fault{Err: remote.ErrPermission})
		for i := range 20 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 15 {
			s.Remove(fmt.Sprintf("f%02d", i))
			if i == 4 {
				s.Seen()
				s.Pass(6 * time.Second)
			}
		}
		s.Seen()
		s.Pass(30 * time.Second)
		s.Is(loop.Held)
		before := s.Status().Cycles
		s.Pass(30 * time.Minute)
		if n := s.Status().Cycles - before; n > 40 {
			t.Errorf("%d cycles in half an hour", n)
		}
	})
}

// What is held stays held when one more goes, long afterwards.
func TestLoopHeldAndOneMore(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 40 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 25 {
			s.Remove(fmt.Sprintf("f%02d", i))
			s.Seen()
			s.Pass(10 * time.Second)
		}
		s.Is(loop.Held)
		s.Pass(2 * time.Hour)
		s.Remove("f30")
		s.Seen()
		s.Pass(10 * time.Second)
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
	})
}

// Work that deletes nothing does not make deletes that are far apart count together.
func TestLoopSpreeEnds(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 40 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 25 {
			s.Remove(fmt.Sprintf("f%02d", i))
			for j := range 4 {
				s.Write("work", fmt.Sprint(i, j))
				s.Seen()
				s.Pass(5 * time.Minute)
			}
		}
		s.Equal()
		s.Is(loop.Idle)
	})
}

// What a person approves while a run is under way is not forgotten by that run.
func TestApproveDuringARun(t *testing.T) {
	var approve atomic.Bool
	var s *rig.Stay
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 40 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
		r.Events = func(ev event.Event) {
			if ev.Type == event.Phase && ev.Text == "scanning" && approve.CompareAndSwap(true, false) {
				rig.Must(t, rig.ApproveHeld(s.Journal))
				s.Wake()
			}
		}
	}, func(t *testing.T, stay *rig.Stay) {
		s = stay
		for i := range 25 {
			s.Remove(fmt.Sprintf("f%02d", i))
			s.Seen()
			s.Pass(10 * time.Second)
		}
		s.Is(loop.Held)
		s.Pass(20 * time.Minute) // the reason changes
		approve.Store(true)
		s.Write("new", "1")
		s.Seen()
		s.Pass(10 * time.Second)
		s.Equal()
		s.Is(loop.Idle)
	})
}

// A move that the remote refuses is done in another way at once.
func TestLoopMoveRefused(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Write("old/f", "1")
		r.Write("old/g", "2")
		r.Remote.Fail = rig.Every("dirmove", enginetest.Fault{Err: remote.ErrCannotMove})
	}, func(t *testing.T, s *rig.Stay) {
		s.Rename("old", "new")
		s.Seen()
		s.Pass(7 * time.Second)
		s.Equal()
		s.Is(loop.Idle)
	})
}

// A path that cannot be sent at all is tried less and less often.
func TestLoopProblemIsSetAside(t *testing.T) {
	caps := rig.FullCaps
	caps.CaseInsensitive = true
	rig.Stays(t, caps, func(r *rig.Rig) { r.Write("f", "1") }, func(t *testing.T, s *rig.Stay) {
		s.Write("a", "1")
		s.Write("A", "2")
		s.Seen()
		s.Pass(time.Second)
		before := s.Status().Cycles
		s.Pass(30 * time.Minute)
		if n := s.Status().Cycles - before; n > 10 {
			t.Errorf("%d cycles", n)
		}
	})
}

// A path has grace, and what went above it has none any more: both go together.
func TestLoopGraceBeneath(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("d/x", "x"); r.Write("d/y", "y"); r.Write("keep", "3") }, func(t *testing.T, s *rig.Stay) {
		s.Remove("d")
		s.Hint(hint.Hint{Path: "d", Gone: true})
		s.Pass(3 * time.Second)
		s.Hint(hint.Hint{Path: "d/x", Gone: true})
		s.Pass(10 * time.Second)
		s.Equal()
		s.Sound()
	})
}

// A file that is replaced by removing it again and again is never quiet, and is sent all the same.
func TestLoopNeverQuietByRemoval(t *testing.T) {
	rig.Stays(t, rig.FullCaps, nil, func(t *testing.T, s *rig.Stay) {
		for i := range 200 {
			s.Remove("f")
			s.Seen()
			s.Pass(10 * time.Millisecond)
			s.Write("f", fmt.Sprint(i))
			s.Seen()
			s.Pass(300 * time.Millisecond)
		}
		if len(s.RemoteFiles()) == 0 {
			t.Error("never sent in a minute")
		}
	})
}

// While the remote is away, so is the mapping, also while it is asked whether it is back.
func TestLoopOfflineSince(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Write("f", "1")
		r.Write("g", "1")
		r.Run()
		r.Remove("f")
		r.Remote.SetOffline(true)
	}, func(t *testing.T, s *rig.Stay) {
		s.Is(loop.Offline)
		since := s.Status().Since
		s.Pass(10 * time.Minute)
		if st := s.Status(); !st.Since.Equal(since) {
			t.Errorf("offline since %v, and then since %v", since, st.Since)
		}
	})
}

// A process that begins anew holds what the one before it held, also if one more goes.
func TestLoopHeldAcrossRestart(t *testing.T) {
	var kept *rig.Rig
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		kept = r
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 40 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 25 {
			s.Remove(fmt.Sprintf("f%02d", i))
			s.Seen()
			s.Pass(10 * time.Second)
		}
		s.Is(loop.Held)
	})
	kept.T = t
	rig.StaysOn(t, kept, func(t *testing.T, s *rig.Stay) {
		s.Is(loop.Held)
		s.Remove("f30")
		s.Seen()
		s.Pass(10 * time.Second)
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
	})
}

// What comes and goes while a burst of deletes lasts was never there to be lost.
func TestLoopChurnIsNoSpree(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 20 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 30 {
			s.Write("lock", fmt.Sprint(i))
			s.Stamp("lock", time.Now())
			s.Seen()
			s.Pass(20 * time.Second)
			s.Remove("lock")
			s.Seen()
			s.Pass(20 * time.Second)
			s.Is(loop.Idle)
		}
		s.Equal()
	})
}

// A move that the remote refused once is tried again by the next run.
func TestLoopTriesMovesAgain(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("a", "1"); r.Write("b", "2") }, func(t *testing.T, s *rig.Stay) {
		s.Remote.Fail = rig.Every("move", enginetest.Fault{Err: remote.ErrCannotMove})
		s.Rename("a", "c")
		s.Seen()
		s.Pass(6 * time.Second)
		s.Equal()
		s.Remote.Fail = nil
		s.Remote.ResetLog()
		s.Rename("b", "d")
		s.Seen()
		s.Pass(time.Second)
		s.Equal()
		if s.Remote.Count("move") != 1 || s.Remote.Count("send") != 0 {
			t.Errorf("not moved:\n%s", s.Remote.Log())
		}
	})
}
