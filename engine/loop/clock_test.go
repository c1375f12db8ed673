package loop_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/journal"
)

// The clock of a machine steps: it was wrong at boot, a person sets it, a virtual machine is resumed. Times of one
// process are compared by their monotonic reading, which does not notice. What the journal remembers, and
// what file systems stamp, is compared by the wall, and must neither hang nor storm when that moves.

// steppingClock is the time of day that somebody has set forth or back; its monotonic reading goes on. (The time of
// a bubble has none, so this one only passes as fast.)
type steppingClock struct {
	by    atomic.Int64
	begin sync.Once
	began time.Time // here
	there time.Time // in the bubble
}

func (c *steppingClock) step(by time.Duration) { c.by.Add(int64(by)) }

func (c *steppingClock) now() time.Time {
	c.begin.Do(func() { c.there = time.Now() })
	return setWall(c.began.Add(time.Since(c.there)), time.Duration(c.by.Load()))
}

// setWall moves the wall reading of t, in whole seconds. Nothing but the system can do that otherwise: where package
// time has a monotonic reading, the seconds are beside it in the first word, from bit 30 up.
func setWall(t time.Time, by time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) += uint64(int64(by/time.Second) << 30)
	return t
}

func TestSetWall(t *testing.T) {
	now := time.Now()
	for _, by := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		then := setWall(now, by)
		if wall, elapsed := then.Round(0).Sub(now.Round(0)), then.Sub(now); wall != by || elapsed != 0 {
			t.Fatalf("moved by %v, and by %v, instead of by %v: package time keeps its readings in another way", wall, elapsed, by)
		}
	}
}

// steps runs do for a clock that is set forth by a day, and for one that is set back.
func steps(t *testing.T, prepare func(*rig.Rig), do func(t *testing.T, s *rig.Stay, step func())) {
	t.Helper()
	for name, by := range map[string]time.Duration{"forth": 24 * time.Hour, "back": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			clock := &steppingClock{began: time.Now()}
			rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Cfg.Now = clock.now; prepare(r) }, func(t *testing.T, s *rig.Stay) {
				do(t, s, func() { clock.step(by) })
			})
		})
	}
}

// What waits, waits as long as ever: for quiet, for grace, for the next full scan; and no cycle runs for nothing.
func TestClockStepsWhileWaiting(t *testing.T) {
	steps(t, func(r *rig.Rig) { r.Write("f", "1"); r.Write("g", "1") }, func(t *testing.T, s *rig.Stay, step func()) {
		s.Write("f", "two")
		s.Seen()
		s.Pass(100 * time.Millisecond)
		step()
		s.Pass(500 * time.Millisecond)
		s.Equal()

		s.Remove("g")
		s.Seen()
		s.Pass(time.Second)
		step()
		s.Pass(3 * time.Second)
		if got := len(s.RemoteFiles()); got != 2 {
			t.Errorf("the grace of what went was not kept: %d files", got)
		}
		s.Pass(2 * time.Second)
		s.Equal()
		s.Is(loop.Idle)

		before := s.Status().Cycles
		s.Write("unseen", "by the watcher")
		step()
		s.Tree = s.Look()
		s.Pass(76 * time.Minute)
		s.Equal()
		if n := s.Status().Cycles - before; n > 3 {
			t.Errorf("%d cycles for one scan", n)
		}
	})
}

// A remote that is away is probed as often as ever.
func TestClockStepsWhileOffline(t *testing.T) {
	steps(t, func(r *rig.Rig) { r.Write("f", "1") }, func(t *testing.T, s *rig.Stay, step func()) {
		s.Remote.SetOffline(true)
		s.Write("f", "two")
		s.Seen()
		s.Pass(10 * time.Minute)
		s.Is(loop.Offline)
		step()
		before := s.Status().Cycles
		s.Pass(10 * time.Minute)
		if n := s.Status().Cycles - before; n < 5 || n > 30 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		s.Write("g", "while it is away")
		s.Seen()
		step()
		s.Remote.SetOffline(false)
		s.Pass(76 * time.Second)
		s.Equal()
		s.Is(loop.Idle)
	})
}

// Deletes that follow each other count together although the clock was set between them; what came and went
// meanwhile does not count.
func TestClockStepsDuringASpree(t *testing.T) {
	few := func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 20 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}
	t.Run("deletes", func(t *testing.T) {
		steps(t, few, func(t *testing.T, s *rig.Stay, step func()) {
			for i := range 15 {
				if i == 5 {
					step()
				}
				s.Remove(fmt.Sprintf("f%02d", i))
				s.Seen()
				s.Pass(10 * time.Second)
			}
			s.Is(loop.Held)
			if got := len(s.RemoteFiles()); got != 10 {
				t.Errorf("%d files are left", got)
			}
			step()
			s.Pass(3 * time.Hour)
			s.Is(loop.Held)
		})
	})
	t.Run("churn", func(t *testing.T) {
		steps(t, few, func(t *testing.T, s *rig.Stay, step func()) {
			s.Remove("f00")
			s.Seen()
			s.Pass(10 * time.Second)
			step()
			for i := range 20 {
				s.Write("lock", fmt.Sprint(i))
				s.Stamp("lock", s.Cfg.Now())
				s.Seen()
				s.Pass(20 * time.Second)
				s.Remove("lock")
				s.Seen()
				s.Pass(20 * time.Second)
				s.Is(loop.Idle)
			}
			s.Equal()
		})
	})
}

// Whatever mtimes a person gives to files, and however far from now they are: a file that has not changed is not
// sent again.
func TestClockAndMtimes(t *testing.T) {
	clock := &steppingClock{began: time.Now()}
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Now = clock.now
	for year, path := range map[int]string{1960: "b", 1970: "c", 2100: "e", 2261: "g"} {
		r.Write(path, path)
		r.Stamp(path, time.Date(year, 1, 2, 3, 4, 5, 6, time.UTC))
	}
	r.Write("now", "now")
	r.Run()
	r.Same()
	for _, by := range []time.Duration{24 * time.Hour, -48 * time.Hour, 24 * time.Hour} {
		clock.step(by)
		r.Quiet()
		r.Write("now", by.String())
		r.Run()
		r.Same()
		r.Quiet()
	}
}

// History is kept for as long as ever: a clock that was set forth and back again takes nothing away before its time,
// and what is from a day that was not there yet goes as well.
func TestClockAndHistory(t *testing.T) {
	const day = 24 * time.Hour
	clock := &steppingClock{began: time.Now()}
	r := rig.New(t, rig.FullCaps)
	r.Cfg.Now = clock.now
	edits := 0
	rows := func(by time.Duration) (n int) {
		clock.step(by)
		edits++
		r.Write("f", fmt.Sprint(edits))
		r.Run()
		r.With(func(_ *engine.Engine, j *journal.Journal) {
			all, err := j.History(journal.HistoryQuery{})
			rig.Must(t, err)
			n = len(all)
		})
		return n
	}
	for _, by := range []time.Duration{0, day, -2 * day, day, 80 * day} {
		if got := rows(by); got != edits {
			t.Fatalf("%d rows of %d runs are left after %v", got, edits, by)
		}
	}
	if got := rows(20 * day); got != 2 {
		t.Errorf("%d rows are left, want those of the last two runs", got)
	}
}
