package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// stay is a rig whose mapping is kept true by a Loop, in a bubble whose time passes only when everybody
// waits. It watches perfectly: seen hints at exactly what differs since it was called last.
type stay struct {
	*rig
	*engine.Loop
	journal *journal.Journal
	tree    map[string]string
}

// stays runs do in a bubble while a Loop runs, and then ends it.
func stays(t *testing.T, caps remote.Caps, prepare func(*rig), do func(*testing.T, *stay)) {
	r := newRig(t, caps)
	if prepare != nil {
		prepare(r)
	}
	staysOn(t, r, do)
}

// staysOn is stays for a rig that has a past.
func staysOn(t *testing.T, r *rig, do func(*testing.T, *stay)) {
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		j, err := journal.Open(r.db, journal.Mapping{Source: r.source, Remote: "memory"})
		must(t, err)
		cfg := r.cfg
		cfg.Scan.Root, cfg.Journal, cfg.Connect, cfg.Observe = r.source, j, r.connect, r.events
		l, err := engine.NewLoop(engine.LoopConfig{
			Engine: cfg, Settle: 500 * time.Millisecond, SettleMax: 30 * time.Second, DeleteDelay: 5 * time.Second,
			Pulse: r.pulse,
		})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		s := &stay{rig: r, Loop: l, journal: j}
		s.tree = s.look()
		s.pass(time.Second)
		do(t, s)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the loop ended with %v", err)
		}
		if state := l.Status().State; state != engine.LoopStopped {
			t.Errorf("the loop has ended and is %s", state)
		}
		must(t, j.Close())
	})
}

// pass lets time pass, and waits until nothing more happens by itself.
func (s *stay) pass(d time.Duration) {
	s.t.Helper()
	time.Sleep(d)
	synctest.Wait()
}

// look returns what identifies each path of the source now.
func (s *stay) look() map[string]string {
	tree := make(map[string]string)
	must(s.t, filepath.WalkDir(s.source, func(full string, d fs.DirEntry, err error) error {
		if err != nil || full == s.source {
			return err
		}
		path, _ := filepath.Rel(s.source, full)
		e, err := snapshot.Stat(snapshot.Config{Root: s.source}, path)
		if err != nil {
			return err
		}
		tree[path] = fmt.Sprint(e.Kind, e.Ino)
		if !d.IsDir() {
			tree[path] += fmt.Sprint(" ", e.Size, e.Mtime, e.Ctime)
		}
		return nil
	}))
	return tree
}

// seen gives the hints that a perfect watcher gives.
func (s *stay) seen() {
	now := s.look()
	for path := range s.tree {
		if _, there := now[path]; !there {
			s.Hint(hint.Hint{Path: path, Gone: true})
		}
	}
	for path, what := range now {
		if s.tree[path] != what {
			s.Hint(hint.Hint{Path: path, Deep: strings.HasPrefix(what, snapshot.Dir.String())})
		}
	}
	s.tree = now
}

// is fails the test unless the Loop is in this state.
func (s *stay) is(want engine.LoopState) {
	s.t.Helper()
	if got := s.Status(); got.State != want {
		s.t.Fatalf("want %s, got %+v\n%s", want, got, s.remote.Log())
	}
}

// equal fails the test unless remote and source are the same.
func (s *stay) equal() {
	s.t.Helper()
	if got, want := strings.Join(s.remoteFiles(), "\n"), strings.Join(s.files(), "\n"); got != want {
		s.t.Fatalf("remote:\n%s\nsource:\n%s\n%+v\n%s", got, want, s.Status(), s.remote.Log())
	}
}

func TestLoopSendsWhatIsHinted(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("d/old", "1") }, func(t *testing.T, s *stay) {
		s.equal()
		s.is(engine.LoopIdle)
		s.write("d/f", "hinted")
		s.seen()
		s.write("d/g", "nobody saw this")
		s.pass(499 * time.Millisecond)
		if n := len(s.remoteFiles()); n != 1 {
			t.Fatalf("%d files before the path was quiet", n)
		}
		s.pass(2 * time.Millisecond)
		if got := s.remote.Count("send"); got != 2 {
			t.Fatalf("%d files were sent:\n%s", got, s.remote.Log())
		}
		s.tree = s.look()
		s.pass(80 * time.Minute) // the periodic scan sees it
		s.equal()
		if st := s.Status(); st.Missed != 1 {
			t.Errorf("missed %d", st.Missed)
		}
	})
}

// A renamed directory is one move, also when its halves are seen apart.
func TestLoopRename(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		for i := range 20 {
			r.write(fmt.Sprintf("old/sub/%d", i), fmt.Sprint("content ", i))
		}
	}, func(t *testing.T, s *stay) {
		s.equal()
		s.remote.ResetLog()
		s.rename("old", "new")
		s.Hint(hint.Hint{Path: "old", Gone: true})
		s.pass(3 * time.Second)
		s.Hint(hint.Hint{Path: "new", Deep: true})
		s.pass(time.Second)
		s.equal()
		if s.remote.Count("send")+s.remote.Count("delete") != 0 || s.remote.Count("dirmove") != 1 {
			t.Errorf("more than one move:\n%s", s.remote.Log())
		}
	})
}

// What went stays for the time of grace; what comes meanwhile does not have to wait for it.
func TestLoopGrace(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("f", "1"); r.write("d/g", "2"); r.write("keep", "3") }, func(t *testing.T, s *stay) {
		s.remove("f")
		s.remove("d")
		s.write("new", "4")
		s.seen()
		s.pass(4 * time.Second)
		if got := len(s.remoteFiles()); got != 4 {
			t.Fatalf("%d files:\n%s", got, s.remote.Log())
		}
		s.pass(2 * time.Second)
		s.equal()
		if st := s.Status(); st.Hints != 0 {
			t.Errorf("%d hints are left", st.Hints)
		}
	})
}

// While the remote is away changes are planned, and what is pending stays the minimum.
func TestLoopOffline(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("f", "1") }, func(t *testing.T, s *stay) {
		s.remote.SetOffline(true)
		s.write("f", "two")
		s.seen()
		s.pass(time.Second)
		s.is(engine.LoopOffline)
		since := s.Status().Since
		for i := range 5 {
			s.write("passing", fmt.Sprint(i))
			s.write(fmt.Sprint("g", i), "g")
			s.seen()
			s.pass(3 * time.Second)
		}
		s.remove("passing")
		s.rename("g0", "h0")
		s.rename("h0", "i0")
		s.seen()
		s.pass(10 * time.Minute)
		counts, err := s.journal.Counts()
		must(t, err)
		if st := s.Status(); counts.Pending != 6 || st.State != engine.LoopOffline || !st.Since.Equal(since) {
			t.Errorf("%d steps are pending, %+v", counts.Pending, st)
		}
		s.remote.SetOffline(false)
		s.pass(76 * time.Second)
		s.equal()
		s.is(engine.LoopIdle)
		if s.remote.Count("send") != 1+1+6 { // at first, in vain, and what was left
			t.Errorf("more than the minimum:\n%s", s.remote.Log())
		}
	})
}

func TestLoopStartsOffline(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("f", "1"); r.remote.SetOffline(true) }, func(t *testing.T, s *stay) {
		s.is(engine.LoopOffline)
		s.write("g", "2")
		s.seen()
		s.pass(5 * time.Minute)
		s.is(engine.LoopOffline)
		s.remote.SetOffline(false)
		s.Wake()
		s.pass(time.Second)
		s.equal()
	})
}

func TestLoopPause(t *testing.T) {
	stays(t, fullCaps, nil, func(t *testing.T, s *stay) {
		pause := func(on bool) {
			must(t, s.journal.Update(func(st *journal.State) { st.Paused = on }))
			s.Wake()
			s.pass(time.Second)
		}
		pause(true)
		s.is(engine.LoopPaused)
		s.write("f", "1")
		s.seen()
		s.pass(3 * time.Hour)
		if got := s.remoteFiles(); len(got) != 0 {
			t.Fatalf("sent while paused: %q", got)
		}
		pause(false)
		s.equal()
		s.is(engine.LoopIdle)
	})
}

// Too many deletes are held, while the rest goes on, until a person approves.
func TestLoopHeld(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 20 {
			r.write(fmt.Sprint("d/", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		s.remove("d")
		s.seen()
		s.pass(6 * time.Second)
		s.is(engine.LoopHeld)
		s.write("new", "new")
		s.seen()
		s.pass(time.Hour)
		s.is(engine.LoopHeld)
		if got := len(s.remoteFiles()); got != 21 {
			t.Fatalf("%d files:\n%s", got, s.remote.Log())
		}
		must(t, s.journal.Update(func(st *journal.State) { st.ApprovedDigest = st.HeldDigest }))
		s.Wake()
		s.pass(time.Second)
		s.equal()
		s.is(engine.LoopIdle)
		s.write("other", "2") // the approved deletes do not count against later ones
		s.seen()
		s.pass(time.Second)
		s.remove("other")
		s.seen()
		s.pass(6 * time.Second)
		s.equal()
	})
}

// A source that goes in portions, none of which is too much, is held all the same.
func TestLoopSpree(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 40 {
			r.write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *stay) {
		for i := range 30 {
			s.remove(fmt.Sprintf("f%02d", i))
			s.seen()
			s.pass(10 * time.Second)
		}
		s.is(engine.LoopHeld)
		if got := len(s.remoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
		s.pass(2 * time.Hour) // time alone lets nothing through
		s.is(engine.LoopHeld)
		if got := len(s.remoteFiles()); got != 20 {
			t.Errorf("%d files are left", got)
		}
	})
}

// A path that fails is set aside and does not keep the rest from going on.
func TestLoopSetsAside(t *testing.T) {
	var tries atomic.Int64
	stays(t, fullCaps, func(r *rig) {
		r.cfg.Retries = 1
		r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
			if op.Name != "send" || op.Path != "bad" {
				return nil
			}
			tries.Add(1)
			return &enginetest.Fault{Err: remote.ErrPermission}
		}
	}, func(t *testing.T, s *stay) {
		s.write("bad", "1")
		s.seen()
		s.pass(time.Second)
		for i := range 10 {
			s.write("good", fmt.Sprint(i))
			s.seen()
			s.pass(2 * time.Second)
		}
		if got := len(s.remoteFiles()); got != 1 || tries.Load() != 1 {
			t.Fatalf("%d files, %d tries:\n%s", got, tries.Load(), s.remote.Log())
		}
		s.pass(10 * time.Minute) // after 1, 2 and 4 minutes
		if tries.Load() != 4 {
			t.Errorf("%d tries", tries.Load())
		}
		counts, err := s.journal.Counts()
		must(t, err)
		if counts.Failed != 1 || counts.Pending != 1 {
			t.Errorf("got %+v", counts)
		}
		must(t, s.Retry())
		s.pass(time.Second)
		if tries.Load() != 5 {
			t.Errorf("%d tries after a person asked", tries.Load())
		}
		s.remote.Fail = nil
		s.write("bad", "changed") // which is a reason to try
		s.seen()
		s.pass(time.Second)
		s.equal()
	})
}

// A source that is not there holds everything, and goes on when it is back.
func TestLoopSourceGone(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("f", "1"); r.write("g", "2") }, func(t *testing.T, s *stay) {
		away := s.source + ".away"
		must(t, os.Rename(s.source, away))
		s.Hint(hint.Hint{Deep: true})
		s.pass(time.Minute)
		s.is(engine.LoopHeld)
		must(t, os.Mkdir(s.source, 0o755)) // as where nothing is mounted
		s.pass(time.Minute)
		s.is(engine.LoopHeld)
		if got := len(s.remoteFiles()); got != 2 {
			t.Fatalf("%d files are left", got)
		}
		must(t, os.Remove(s.source))
		must(t, os.Rename(away, s.source))
		s.write("h", "3")
		s.pass(10 * time.Second)
		s.equal()
		s.is(engine.LoopIdle)
	})
}

var loopSeeds = flag.Uint64("loop.seeds", 4, "how many random stories TestLoopModel tells of each remote")

// TestLoopModel edits at random, with the remote coming and going, and looks at the outcome.
func TestLoopModel(t *testing.T) {
	noMoves := fullCaps
	noMoves.Move, noMoves.DirMove = false, false
	for name, caps := range map[string]remote.Caps{"full": fullCaps, "no moves": noMoves} {
		for seed := range *loopSeeds {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				stays(t, caps, func(r *rig) { r.cfg.Retries = 1 }, func(t *testing.T, s *stay) { s.model(rand.New(rand.NewPCG(seed, 3))) })
			})
			t.Run(fmt.Sprintf("%s, slow/%d", name, seed), func(t *testing.T) {
				prepare := func(r *rig) { r.cfg.Retries = 1; someAreSlow(r, rand.New(rand.NewPCG(seed, 5))) }
				stays(t, caps, prepare, func(t *testing.T, s *stay) { s.model(rand.New(rand.NewPCG(seed, 4))) })
			})
		}
	}
}

func (s *stay) model(rng *rand.Rand) {
	for range 25 {
		for range 1 + rng.IntN(6) {
			s.edit(rng, 1+rng.IntN(3))
			s.seen()
			s.pass(time.Duration(rng.IntN(2000)) * time.Millisecond)
		}
		switch rng.IntN(4) {
		case 0:
			s.remote.SetOffline(true)
		case 1:
			s.remote.FailNth(1+rng.IntN(4), enginetest.Fault{Err: remote.ErrOffline, When: enginetest.When(rng.IntN(2))})
		default:
			s.remote.SetOffline(false)
			if rng.IntN(2) == 0 {
				s.pass(10 * time.Minute)
				s.equal()
			}
		}
	}
	s.remote.SetOffline(false)
	s.pass(10 * time.Minute)
	s.equal()
	s.is(engine.LoopIdle)
	s.sound()
}

// sound fails the test unless the journal is in order.
func (s *stay) sound() {
	s.t.Helper()
	broken, err := s.journal.Check(context.Background())
	must(s.t, err)
	if len(broken) > 0 {
		s.t.Errorf("journal: %s", strings.Join(broken, "; "))
	}
}

// A source that is accepted without what was mounted in it is looked at as a whole at once: the approval
// is used up by the next look, and nothing hints at what is not there.
func TestLoopAcceptsAnAbsentMount(t *testing.T) {
	r := newRig(t, fullCaps)
	r.write("f", "content")
	r.write("disk/a", "content a")
	r.run()
	r.unmount("disk")
	staysOn(t, r, func(t *testing.T, s *stay) {
		s.is(engine.LoopHeld)
		must(t, s.journal.Update(func(st *journal.State) { st.NewSourceApproved = true }))
		s.Wake()
		s.pass(10 * time.Second)
		s.is(engine.LoopIdle)
		s.equal()
	})
}

// What is held because of a mount is shown, and soon found to be in order again.
func TestLoopHeldByMounts(t *testing.T) {
	stays(t, fullCaps, func(r *rig) { r.write("f", "1") }, func(t *testing.T, s *stay) {
		must(t, s.journal.Update(func(st *journal.State) { st.MountsHeld, st.MountsWhy = 3, `"disk": gone` }))
		s.write("f", "2")
		s.seen()
		s.pass(time.Second)
		s.is(engine.LoopHeld)
		if st := s.Status(); !strings.Contains(st.Why, `"disk": gone`) {
			t.Errorf("got %q", st.Why)
		}
		s.pass(6 * time.Minute)
		s.is(engine.LoopIdle)
	})
}
