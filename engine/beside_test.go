package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
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
func bigIsSlow(r *rig) {
	r.write("d/old", "1")
	r.write("e/f", "2")
	r.wrap = func(c remote.Connection) remote.Connection {
		return slow{c, func(path string) time.Duration {
			if _, name := snapshot.Split(path); strings.HasPrefix(name, "big") {
				return time.Hour
			}
			return 10 * time.Millisecond
		}}
	}
}

// someAreSlow makes every other file take up to half a minute.
func someAreSlow(r *rig, rng *rand.Rand) {
	var mu sync.Mutex
	r.wrap = func(c remote.Connection) remote.Connection {
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

// has fails the test unless the remote has exactly these files, whatever their content.
func (s *stay) has(want ...string) {
	s.t.Helper()
	var got []string
	for _, n := range s.remote.Tree() {
		if n.Kind != snapshot.Dir {
			got = append(got, n.Path)
		}
	}
	if a, b := fmt.Sprint(sorted(got)), fmt.Sprint(sorted(want)); a != b {
		s.t.Fatalf("remote has %v, want %v\n%+v\n%s", a, b, s.Status(), s.remote.Log())
	}
}

// What changes while a file takes an hour to arrive does not wait for it, and the file is sent once.
func TestLoopGoesOnBesideALongTransfer(t *testing.T) {
	stays(t, fullCaps, bigIsSlow, func(t *testing.T, s *stay) {
		s.remote.ResetLog()
		s.write("d/big", strings.Repeat("b", 1000))
		s.seen()
		s.pass(10 * time.Second)
		s.is(engine.LoopSyncing)
		for i := range 20 {
			s.write(fmt.Sprint("d/new", i), fmt.Sprint("content ", i))
			s.write("e/f", fmt.Sprint("edited ", i))
			s.seen()
			s.pass(2 * time.Second)
			if want, _ := s.content("e/f"); want != fmt.Sprint("edited ", i) {
				t.Fatalf("round %d: the remote has %q\n%s", i, want, s.remote.Log())
			}
		}
		s.is(engine.LoopSyncing)
		s.rename("e", "g")
		s.seen()
		s.pass(2 * time.Second)
		if s.remote.Count("dirmove") != 1 {
			t.Errorf("a directory was not moved beside the transfer:\n%s", s.remote.Log())
		}
		s.pass(time.Hour)
		s.equal()
		s.is(engine.LoopIdle)
		if n := s.remote.Count("send"); n != 1+20+20 {
			t.Errorf("%d files were sent:\n%s", n, s.remote.Log())
		}
		cycles, err := s.journal.Cycles(100)
		must(t, err)
		if len(cycles) < 20 {
			t.Errorf("%d snapshots:", len(cycles))
		}
		for i, c := range cycles {
			if idle := c.Outcome == journal.OutcomeIdle; c.Ended.IsZero() || !idle && c.Outcome != journal.OutcomeContinued {
				t.Errorf("snapshot %d: %+v", i, c)
			}
		}
		if broken, err := s.journal.Check(context.Background()); err != nil || len(broken) > 0 {
			t.Errorf("journal: %v %v", broken, err)
		}
	})
}

// Deletes wait for what is under way, as they do in any plan; and so does what has to do with its path.
func TestLoopBesideLeavesWhatIsEntangled(t *testing.T) {
	stays(t, fullCaps, bigIsSlow, func(t *testing.T, s *stay) {
		s.write("d/big", "b")
		s.seen()
		s.pass(10 * time.Second)
		s.remove("e/f")
		s.write("d/x", "x")
		s.seen()
		s.pass(20 * time.Second)
		s.has("d/old", "d/x", "e/f")
		s.rename("d", "c") // the transfer's own directory
		s.write("y", "y")
		s.seen()
		s.pass(20 * time.Second)
		s.has("d/old", "d/x", "e/f")
		s.pass(time.Hour)
		s.pass(time.Hour) // its source had gone, so it is sent again
		s.equal()
		s.is(engine.LoopIdle)
	})
}

// All slots are taken by long transfers: what is new gets one of its own if a person did not say how many
// there may be, and waits for the first to end otherwise.
func TestLoopBesideFullSlots(t *testing.T) {
	for _, transfers := range []int{0, 2} {
		t.Run(fmt.Sprint(transfers), func(t *testing.T) {
			prepare := func(r *rig) { bigIsSlow(r); r.cfg.Transfers = transfers }
			stays(t, fullCaps, prepare, func(t *testing.T, s *stay) {
				for i := range 50 {
					s.write(fmt.Sprint("big", i), fmt.Sprint("big ", i))
				}
				s.seen()
				s.pass(10 * time.Minute)
				s.write("small", "s")
				s.seen()
				s.pass(3 * time.Second)
				if _, there := s.content("small"); there != (transfers == 0) {
					t.Errorf("small is there: %v\n%s", there, s.remote.Log())
				}
				s.pass(time.Hour)
				if _, there := s.content("small"); !there {
					t.Errorf("small waits for ever\n%s", s.remote.Log())
				}
				s.pass(50 * time.Hour)
				s.equal()
			})
		})
	}
}

// A pause gives transfers a few seconds, and what they did is found out afterwards.
func TestLoopPauseEndsALongTransfer(t *testing.T) {
	stays(t, fullCaps, bigIsSlow, func(t *testing.T, s *stay) {
		s.write("d/big", "b")
		s.seen()
		s.pass(time.Minute)
		must(t, s.journal.Update(func(st *journal.State) { st.Paused = true }))
		s.Wake()
		s.pass(6 * time.Second)
		s.is(engine.LoopPaused)
		s.pass(2 * time.Hour)
		s.has("d/old", "e/f")
		must(t, s.journal.Update(func(st *journal.State) { st.Paused = false }))
		s.Wake()
		s.pass(time.Hour + time.Minute)
		s.equal()
		s.is(engine.LoopIdle)
	})
}

// content is what the remote has at path.
func (s *stay) content(path string) (content string, there bool) {
	for _, n := range s.remote.Tree() {
		if n.Path == path {
			return n.Content, true
		}
	}
	return "", false
}
