package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// writes runs once and returns what the journal wrote and what the remote did, in order.
func writes(r *rig.Rig) (effects []string) {
	r.T.Helper()
	r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		effects = append(effects, "  "+op.String())
		return nil
	}
	r.With(func(e *engine.Engine, j *journal.Journal) {
		j.Intercept(func(op string, durable bool) error {
			if durable {
				effects = append(effects, op)
			}
			return nil
		})
		if _, err := e.Run(r.T.Context()); err != nil {
			r.T.Error(err)
		}
	})
	r.Remote.Fail = nil
	return effects
}

// TestWrites shows in what order a run writes the journal and changes the remote. Each write waits for the disk.
func TestWrites(t *testing.T) {
	caps := rig.FullCaps
	caps.Volatile = true
	r := rig.New(t, caps)
	r.Cfg.Boot, r.Cfg.Transfers = "boot", 1
	r.Cfg.Now = func() time.Time { return time.Now().Add(time.Hour) } // so that no file is racy
	for _, c := range []struct {
		name string
		edit func()
		want []string
	}{
		{"first run", func() { r.Write("a", "1") }, writesOfFirstRun},
		{"nothing changed", func() {}, []string{"finish"}},
		{"changed", func() { r.Write("a", "22") }, writesOfChange},
	} {
		c.edit()
		if got := writes(r); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if s := r.State(); s.Unflushed != "" || s.LastSuccess.IsZero() || s.Caps == "" || s.Identity == "" {
		t.Errorf("the state after it: %+v", s)
	}
}

var (
	writesOfFirstRun = []string{"  list", "adopt", "extend", "  send a", "acknowledge steps", "  flush", "finish"}
	writesOfChange   = []string{"begin", "  send a", "acknowledge steps", "  flush", "finish"}
)

// TestKillWriteModel edits, and kills the run after the n-th write of the journal, whatever the remote was given until then.
// After another run the remote must be true to the source, and hold all of it where deletes are retained. n grows until
// no write is left.
func TestKillWriteModel(t *testing.T) {
	var seen sync.Map // what runs were killed after
	t.Cleanup(func() {
		for _, op := range []string{"adopt", "extend", "begin", "acknowledge steps", "finish"} {
			if _, ok := seen.Load(op); !ok {
				t.Errorf("nothing was killed after %q", op)
			}
		}
	})
	volatile := rig.FullCaps
	volatile.Volatile = true
	remotes := crashCaps()
	remotes["volatile"] = volatile
	for _, name := range []string{"full", "volatile", "backup", "bucket", "minimal", "no copy"} {
		for _, mirror := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/complete-sync=%v", name, mirror), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(killSeeds) {
					killWriteModel(t, remotes[name], mirror, seed, &seen)
				}
			})
		}
	}
}

func killWriteModel(t *testing.T, caps remote.Caps, mirror bool, seed uint64, seen *sync.Map) {
	rng := rand.New(rand.NewPCG(seed, 11))
	for n, left := 1, true; left; n++ { // a first run, and after each kill of it another rig
		r := newKillRig(t, caps, mirror)
		r.Edit(rng, 12)
		left = killWrite(r, rng, n, seen)
	}
	r := newKillRig(t, caps, mirror)
	r.Edit(rng, 12)
	r.Run()
	for n, left := 1, true; left; n++ {
		r.Edit(rng, 8)
		left = killWrite(r, rng, n, seen)
	}
}

func newKillRig(t *testing.T, caps remote.Caps, mirror bool) *rig.Rig {
	r := rig.New(t, caps)
	r.Cfg.CompleteSync, r.Cfg.Approve = mirror, !mirror
	r.Cfg.Retries, r.Cfg.Boot = 1, "boot"
	return r
}

// killWrite kills a run after its n-th write, and another one somewhere while it recovers, and sees to it that a third makes
// all good. It reports whether there was such a write.
func killWrite(r *rig.Rig, rng *rand.Rand, n int, seen *sync.Map) bool {
	t := r.T
	op := r.KillAfterWrite(n)
	seen.Store(op, true)
	if rng.IntN(2) == 0 { // and once more, while it is being recovered
		r.KillAfterWrite(1 + rng.IntN(5))
	}
	if rng.IntN(2) == 0 { // what was in doubt is edited before anybody looks at it
		r.Edit(rng, 4)
	}
	if !r.Cfg.CompleteSync { // what is held is shown first, and approved then
		r.Run()
	}
	if sum := r.Run(); sum.Failed > 0 || sum.Held > 0 {
		t.Fatalf("after write %d, %s: left over: %+v\n%s", n, op, sum, r.Remote.Log())
	}
	if r.Cfg.CompleteSync {
		r.Same()
	} else {
		r.Holds()
	}
	if t.Failed() {
		t.Fatalf("after write %d, %s:\n%s", n, op, r.Remote.Log())
	}
	r.Remote.ResetLog()
	return op != ""
}

var errDisk = errors.New("the disk failed")

// TestCrashWriteModel edits, and runs with the n-th write of the journal failing, before or after it has taken effect. Everything in
// memory is dropped, and another run makes the remote true to the source. n grows until no write is left to fail.
func TestCrashWriteModel(t *testing.T) {
	for name, caps := range crashCaps() {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/durable=%v", name, durable), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(crashSeeds) {
					crashWriteModel(t, caps, durable, seed)
				}
			})
		}
	}
}

func crashWriteModel(t *testing.T, caps remote.Caps, durable bool, seed uint64) {
	r := newKillRig(t, caps, true)
	rng := rand.New(rand.NewPCG(seed, 13))
	for n, left := 1, true; left; n++ {
		r.Edit(rng, 8)
		op := ""
		r.With(func(e *engine.Engine, j *journal.Journal) {
			count := n
			j.Intercept(func(what string, is bool) error {
				if is != durable {
					return nil
				}
				if count--; count == 0 {
					op = what
					return errDisk
				}
				return nil
			})
			if _, err := e.Run(t.Context()); op != "" && !errors.Is(err, errDisk) || op == "" && err != nil {
				t.Fatalf("write %d, %s: %v", n, op, err)
			}
		})
		if sum := r.Run(); sum.Failed > 0 {
			t.Fatalf("after write %d, %s, failed: %+v\n%s", n, op, sum, r.Remote.Log())
		}
		if r.Same(); t.Failed() {
			t.Fatalf("after write %d, %s, failed:\n%s", n, op, r.Remote.Log())
		}
		r.Remote.ResetLog()
		left = op != ""
	}
	r.Quiet()
}

// A plan that was made for what the remote could do before is thrown away, and nothing of it is written. What was to be scanned
// is scanned again.
func TestStalePlan(t *testing.T) {
	for name, f := range map[string]engine.Focus{"whole": {}, "part": {Scopes: []snapshot.Scope{{Path: "a"}}}} {
		t.Run(name, func(t *testing.T) {
			r := rig.New(t, rig.FullCaps)
			r.Write("a", "1")
			r.Run()
			r.Remote.Caps.Copy = false
			r.Write("a", "22")
			var ops []string
			r.With(func(e *engine.Engine, j *journal.Journal) {
				j.Intercept(func(op string, durable bool) error {
					if durable {
						ops = append(ops, op)
					}
					return nil
				})
				out, err := e.RunWithin(t.Context(), f, nil)
				if err != nil || out.Sent != 1 {
					t.Errorf("%+v, %v", out.Summary, err)
				}
			})
			if len(ops) != 3 { // begin or amend, acknowledge, finish
				t.Errorf("written: %q", ops)
			}
			r.Same()
		})
	}
}

// The plan of a run that does not reach the remote is kept, with what it was made from, and nothing is claimed.
func TestOfflinePlanIsKept(t *testing.T) {
	r := rig.New(t, rig.FullCaps)
	r.Write("a", "1")
	r.Run()
	r.Write("b", "2")
	r.Remote.SetOffline(true)
	r.Fails(remote.ErrOffline)
	r.With(func(_ *engine.Engine, j *journal.Journal) {
		n, err := j.Counts()
		rig.Must(t, err)
		started, err := j.Started()
		rig.Must(t, err)
		s, err := j.State()
		rig.Must(t, err)
		if n.Pending != 1 || len(started) != 0 || s.LastErrorClass != "offline" {
			t.Errorf("pending %+v, started %v, state %+v", n, started, s)
		}
	})
	r.Remote.SetOffline(false)
	r.Run()
	r.Same()
}
