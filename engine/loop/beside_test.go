package loop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// slow is a remote that some files take long to arrive on.
type slow struct {
	remote.Connection
	took func(path string) time.Duration
}

func (c slow) Send(ctx context.Context, path string, src remote.Source) error {
	select {
	case <-time.After(c.took(path)):
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.Connection.Send(ctx, path, src)
}

// bigIsSlow makes files whose name begins with "big" take an hour.
func bigIsSlow(r *rig.Rig) {
	r.Write("d/old", "1")
	r.Write("e/f", "2")
	r.Wrap = func(c remote.Connection) remote.Connection {
		return slow{c, func(path string) time.Duration {
			if _, name := snapshot.Split(path); strings.HasPrefix(name, "big") {
				return time.Hour
			}
			return 10 * time.Millisecond
		}}
	}
}

// someAreSlow makes every other file take up to half a minute.
func someAreSlow(r *rig.Rig, rng *rand.Rand) {
	var mu sync.Mutex
	r.Wrap = func(c remote.Connection) remote.Connection {
		return slow{c, func(string) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if rng.IntN(2) == 0 {
				return 0
			}
			return time.Duration(rng.Int64N(int64(30 * time.Second)))
		}}
	}
}

// What changes while a file takes an hour to arrive does not wait for it, and the file is sent once.
func TestLoopGoesOnBesideALongTransfer(t *testing.T) {
	rig.Stays(t, rig.FullCaps, bigIsSlow, func(t *testing.T, s *rig.Stay) {
		s.Remote.ResetLog()
		s.Write("d/big", strings.Repeat("b", 1000))
		s.Seen()
		s.Pass(10 * time.Second)
		s.Is(loop.Syncing)
		for i := range 20 {
			s.Write(fmt.Sprint("d/new", i), fmt.Sprint("content ", i))
			s.Write("e/f", fmt.Sprint("edited ", i))
			s.Seen()
			s.Pass(2 * time.Second)
			if want, _ := s.Content("e/f"); want != fmt.Sprint("edited ", i) {
				t.Fatalf("round %d: the remote has %q\n%s", i, want, s.Remote.Log())
			}
		}
		s.Is(loop.Syncing)
		s.Rename("e", "g")
		s.Seen()
		s.Pass(2 * time.Second)
		if s.Remote.Count("dirmove") != 1 {
			t.Errorf("a directory was not moved beside the transfer:\n%s", s.Remote.Log())
		}
		s.Pass(time.Hour)
		s.Equal()
		s.Is(loop.Idle)
		if n := s.Remote.Count("send"); n != 1+20+20 {
			t.Errorf("%d files were sent:\n%s", n, s.Remote.Log())
		}
		cycles, err := s.Journal.Cycles(100)
		rig.Must(t, err)
		if len(cycles) < 20 {
			t.Errorf("%d snapshots:", len(cycles))
		}
		for i, c := range cycles {
			if idle := c.Outcome == journal.OutcomeIdle; c.Ended.IsZero() || !idle && c.Outcome != journal.OutcomeContinued {
				t.Errorf("snapshot %d: %+v", i, c)
			}
		}
		if broken, err := s.Journal.Check(context.Background()); err != nil || len(broken) > 0 {
			t.Errorf("journal: %v %v", broken, err)
		}
	})
}

// Deletes wait for what is under way, as they do in any plan; and so does what has to do with its path.
func TestLoopBesideLeavesWhatIsEntangled(t *testing.T) {
	rig.Stays(t, rig.FullCaps, bigIsSlow, func(t *testing.T, s *rig.Stay) {
		s.Write("d/big", "b")
		s.Seen()
		s.Pass(10 * time.Second)
		s.Remove("e/f")
		s.Write("d/x", "x")
		s.Seen()
		s.Pass(20 * time.Second)
		s.Has("d/old", "d/x", "e/f")
		s.Rename("d", "c") // the transfer's own directory
		s.Write("y", "y")
		s.Seen()
		s.Pass(20 * time.Second)
		s.Has("d/old", "d/x", "e/f")
		s.Pass(time.Hour)
		s.Pass(time.Hour) // its source had gone, so it is sent again
		s.Equal()
		s.Is(loop.Idle)
	})
}

// All slots are taken by long transfers: what is new gets one of its own if a person did not say how many
// there may be, and waits for the first to end otherwise.
func TestLoopBesideFullSlots(t *testing.T) {
	for _, transfers := range []int{0, 2} {
		t.Run(fmt.Sprint(transfers), func(t *testing.T) {
			prepare := func(r *rig.Rig) { bigIsSlow(r); r.Cfg.Transfers = transfers }
			rig.Stays(t, rig.FullCaps, prepare, func(t *testing.T, s *rig.Stay) {
				for i := range 50 {
					s.Write(fmt.Sprint("big", i), fmt.Sprint("big ", i))
				}
				s.Seen()
				s.Pass(10 * time.Minute)
				s.Write("small", "s")
				s.Seen()
				s.Pass(3 * time.Second)
				if _, there := s.Content("small"); there != (transfers == 0) {
					t.Errorf("small is there: %v\n%s", there, s.Remote.Log())
				}
				s.Pass(time.Hour)
				if _, there := s.Content("small"); !there {
					t.Errorf("small waits for ever\n%s", s.Remote.Log())
				}
				s.Pass(50 * time.Hour)
				s.Equal()
			})
		})
	}
}

// A pause gives transfers a few seconds, and what they did is found out afterwards.
func TestLoopPauseEndsALongTransfer(t *testing.T) {
	rig.Stays(t, rig.FullCaps, bigIsSlow, func(t *testing.T, s *rig.Stay) {
		s.Write("d/big", "b")
		s.Seen()
		s.Pass(time.Minute)
		rig.Must(t, journal.Update(s.Journal, func(st *journal.Decisions) { st.Paused = true }))
		s.Wake()
		s.Pass(6 * time.Second)
		s.Is(loop.Paused)
		s.Pass(2 * time.Hour)
		s.Has("d/old", "e/f")
		rig.Must(t, journal.Update(s.Journal, func(st *journal.Decisions) { st.Paused = false }))
		s.Wake()
		s.Pass(time.Hour + time.Minute)
		s.Equal()
		s.Is(loop.Idle)
	})
}
