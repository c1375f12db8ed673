package loop_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

func TestLoopSendsWhatIsHinted(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("d/old", "1") }, func(t *testing.T, s *rig.Stay) {
		s.Equal()
		s.Is(loop.Idle)
		s.Write("d/f", "hinted")
		s.Seen()
		s.Write("d/g", "nobody saw this")
		s.Pass(499 * time.Millisecond)
		if n := len(s.RemoteFiles()); n != 1 {
			t.Fatalf("%d files before the path was quiet", n)
		}
		s.Pass(2 * time.Millisecond)
		if got := s.Remote.Count("send"); got != 2 {
			t.Fatalf("%d files were sent:\n%s", got, s.Remote.Log())
		}
		s.Tree = s.Look()
		s.Pass(80 * time.Minute) // the periodic scan sees it
		s.Equal()
		if st := s.Status(); st.Missed != 1 {
			t.Errorf("missed %d", st.Missed)
		}
	})
}

// A renamed directory is one move, also when its halves are seen apart.
func TestLoopRename(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		for i := range 20 {
			r.Write(fmt.Sprintf("old/sub/%d", i), fmt.Sprint("content ", i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		s.Equal()
		s.Remote.ResetLog()
		s.Rename("old", "new")
		s.Hint(hint.Hint{Path: "old", Gone: true})
		s.Pass(3 * time.Second)
		s.Hint(hint.Hint{Path: "new", Deep: true})
		s.Pass(time.Second)
		s.Equal()
		if s.Remote.Count("send")+s.Remote.Count("delete") != 0 || s.Remote.Count("dirmove") != 1 {
			t.Errorf("more than one move:\n%s", s.Remote.Log())
		}
	})
}

// What went stays for the time of grace; what comes meanwhile does not have to wait for it.
func TestLoopGrace(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("f", "1"); r.Write("d/g", "2"); r.Write("keep", "3") }, func(t *testing.T, s *rig.Stay) {
		s.Remove("f")
		s.Remove("d")
		s.Write("new", "4")
		s.Seen()
		s.Pass(4 * time.Second)
		if got := len(s.RemoteFiles()); got != 4 {
			t.Fatalf("%d files:\n%s", got, s.Remote.Log())
		}
		s.Pass(2 * time.Second)
		s.Equal()
		if st := s.Status(); st.Hints != 0 {
			t.Errorf("%d hints are left", st.Hints)
		}
	})
}

// While the remote is away changes are planned, and what is pending stays the minimum.
func TestLoopOffline(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("f", "1") }, func(t *testing.T, s *rig.Stay) {
		s.Remote.SetOffline(true)
		s.Write("f", "two")
		s.Seen()
		s.Pass(time.Second)
		s.Is(loop.Offline)
		since := s.Status().Since
		for i := range 5 {
			s.Write("passing", fmt.Sprint(i))
			s.Write(fmt.Sprint("g", i), "g")
			s.Seen()
			s.Pass(3 * time.Second)
		}
		s.Remove("passing")
		s.Rename("g0", "h0")
		s.Rename("h0", "i0")
		s.Seen()
		s.Pass(10 * time.Minute)
		counts, err := s.Journal.Counts()
		rig.Must(t, err)
		if st := s.Status(); counts.Pending != 6 || st.State != loop.Offline || !st.Since.Equal(since) {
			t.Errorf("%d steps are pending, %+v", counts.Pending, st)
		}
		s.Remote.SetOffline(false)
		s.Pass(76 * time.Second)
		s.Equal()
		s.Is(loop.Idle)
		if s.Remote.Count("send") != 1+1+6 { // at first, in vain, and what was left
			t.Errorf("more than the minimum:\n%s", s.Remote.Log())
		}
	})
}

func TestLoopStartsOffline(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("f", "1"); r.Remote.SetOffline(true) }, func(t *testing.T, s *rig.Stay) {
		s.Is(loop.Offline)
		s.Write("g", "2")
		s.Seen()
		s.Pass(5 * time.Minute)
		s.Is(loop.Offline)
		s.Remote.SetOffline(false)
		s.Wake()
		s.Pass(time.Second)
		s.Equal()
	})
}

func TestLoopPause(t *testing.T) {
	rig.Stays(t, rig.FullCaps, nil, func(t *testing.T, s *rig.Stay) {
		pause := func(on bool) {
			rig.Must(t, journal.Update(s.Journal, func(st *journal.Decisions) { st.Paused = on }))
			s.Wake()
			s.Pass(time.Second)
		}
		pause(true)
		s.Is(loop.Paused)
		s.Write("f", "1")
		s.Seen()
		s.Pass(3 * time.Hour)
		if got := s.RemoteFiles(); len(got) != 0 {
			t.Fatalf("sent while paused: %q", got)
		}
		pause(false)
		s.Equal()
		s.Is(loop.Idle)
	})
}

// Too many deletes are held, while the rest goes on, until a person approves.
func TestLoopHeld(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 20 {
			r.Write(fmt.Sprint("d/", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		s.Remove("d")
		s.Seen()
		s.Pass(6 * time.Second)
		s.Is(loop.Held)
		s.Write("new", "new")
		s.Seen()
		s.Pass(time.Hour)
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 21 {
			t.Fatalf("%d files:\n%s", got, s.Remote.Log())
		}
		rig.Must(t, rig.ApproveHeld(s.Journal))
		s.Wake()
		s.Pass(time.Second)
		s.Equal()
		s.Is(loop.Idle)
		s.Write("other", "2") // the approved deletes do not count against later ones
		s.Seen()
		s.Pass(time.Second)
		s.Remove("other")
		s.Seen()
		s.Pass(6 * time.Second)
		s.Equal()
	})
}

// A source that goes in portions, none of which is too much, is held all the same.
func TestLoopSpree(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 40 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 30 {
			s.Remove(fmt.Sprintf("f%02d", i))
			s.Seen()
			s.Pass(10 * time.Second)
		}
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
		s.Pass(2 * time.Hour) // time alone lets nothing through
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
	})
}

// A path that fails has to wait and does not keep the rest from going on.
func TestLoopSetsAside(t *testing.T) {
	var tries atomic.Int64
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.Retries = 1
		r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
			if op.Name != "send" || op.Path != "bad" {
				return nil
			}
			tries.Add(1)
			return &enginetest.Fault{Err: remote.ErrPermission}
		}
	}, func(t *testing.T, s *rig.Stay) {
		s.Write("bad", "1")
		s.Seen()
		s.Pass(time.Second)
		for i := range 10 {
			s.Write("good", fmt.Sprint(i))
			s.Seen()
			s.Pass(2 * time.Second)
		}
		if got := len(s.RemoteFiles()); got != 1 || tries.Load() != 1 {
			t.Fatalf("%d files, %d tries:\n%s", got, tries.Load(), s.Remote.Log())
		}
		s.Pass(10 * time.Minute) // after 1, 2 and 4 minutes
		if tries.Load() != 4 {
			t.Errorf("%d tries", tries.Load())
		}
		counts, err := s.Journal.Counts()
		rig.Must(t, err)
		if counts.Failed != 1 || counts.Pending != 1 {
			t.Errorf("got %+v", counts)
		}
		rig.Must(t, s.Retry())
		s.Pass(time.Second)
		if tries.Load() != 5 {
			t.Errorf("%d tries after a person asked", tries.Load())
		}
		s.Remote.Fail = nil
		s.Write("bad", "changed") // which is a reason to try
		s.Seen()
		s.Pass(time.Second)
		s.Equal()
	})
}

// A source that is not there holds everything, and goes on when it is back.
func TestLoopSourceGone(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("f", "1"); r.Write("g", "2") }, func(t *testing.T, s *rig.Stay) {
		away := s.Source + ".away"
		rig.Must(t, os.Rename(s.Source, away))
		s.Hint(hint.Hint{Deep: true})
		s.Pass(time.Minute)
		s.Is(loop.Held)
		rig.Must(t, os.Mkdir(s.Source, 0o755)) // as where nothing is mounted
		s.Pass(time.Minute)
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 2 {
			t.Fatalf("%d files are left", got)
		}
		rig.Must(t, os.Remove(s.Source))
		rig.Must(t, os.Rename(away, s.Source))
		s.Write("h", "3")
		s.Pass(10 * time.Second)
		s.Equal()
		s.Is(loop.Idle)
	})
}

var loopSeeds = flag.Uint64("loop.seeds", 4, "how many random stories TestLoopModel tells of each remote")

// TestLoopModel edits at random, with the remote coming and going, and looks at the outcome.
func TestLoopModel(t *testing.T) {
	noMoves := rig.FullCaps
	noMoves.Move, noMoves.DirMove = false, false
	for name, caps := range map[string]remote.Caps{"full": rig.FullCaps, "no moves": noMoves} {
		for seed := range *loopSeeds {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				rig.Stays(t, caps, func(r *rig.Rig) { r.Cfg.Retries = 1 }, func(t *testing.T, s *rig.Stay) { s.Model(rand.New(rand.NewPCG(seed, 3))) })
			})
			t.Run(fmt.Sprintf("%s, slow/%d", name, seed), func(t *testing.T) {
				prepare := func(r *rig.Rig) { r.Cfg.Retries = 1; someAreSlow(r, rand.New(rand.NewPCG(seed, 5))) }
				rig.Stays(t, caps, prepare, func(t *testing.T, s *rig.Stay) { s.Model(rand.New(rand.NewPCG(seed, 4))) })
			})
		}
	}
}

// A source that is accepted without what was mounted in it is looked at as a whole at once: the approval
// is used up by the next look, and nothing hints at what is not there.
func TestLoopAcceptsAnAbsentMount(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("f", "content")
	r.Write("disk/a", "content a")
	r.Run()
	r.Unmount("disk")
	rig.StaysOn(t, r, func(t *testing.T, s *rig.Stay) {
		s.Is(loop.Held)
		rig.Must(t, journal.Update(s.Journal, func(st *journal.Decisions) { st.NewSourceApproved = true }))
		s.Wake()
		s.Pass(10 * time.Second)
		s.Is(loop.Idle)
		s.Equal()
	})
}

// What is held because of a mount is shown, and soon found to be in order again.
func TestLoopHeldByMounts(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) { r.Write("f", "1") }, func(t *testing.T, s *rig.Stay) {
		rig.Must(t, journal.Update(s.Journal, func(st *journal.EngineState) { st.MountsHeld, st.MountsWhy = 3, `"disk": gone` }))
		s.Write("f", "2")
		s.Seen()
		s.Pass(time.Second)
		s.Is(loop.Held)
		if st := s.Status(); !strings.Contains(st.Why, `"disk": gone`) {
			t.Errorf("got %q", st.Why)
		}
		s.Pass(6 * time.Minute)
		s.Is(loop.Idle)
	})
}
