package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// killRounds and killSeeds are how often each remote is killed; a hunt wants more of both.
const killRounds, killSeeds = 8, 1

// TestKillModel edits, and kills the run at some operation, done or not: the journal is from then on
// the files that it had at that moment. After another run the remote must be true to the source, and
// hold all of it where deletes are retained.
func TestKillModel(t *testing.T) {
	noDirMove := fullCaps
	noDirMove.DirMove = false
	remotes := crashCaps()
	remotes["no directory move"] = noDirMove
	for _, name := range []string{"full", "backup", "bucket", "coarse", "no directory move"} {
		for _, mirror := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/complete-sync=%v", name, mirror), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(killSeeds) {
					killModel(t, remotes[name], mirror, seed)
				}
			})
		}
	}
}

func killModel(t *testing.T, caps remote.Caps, mirror bool, seed uint64) {
	r := newRig(t, caps)
	r.cfg.CompleteSync, r.cfg.Approve = mirror, !mirror
	r.cfg.Retries = 1
	rng := rand.New(rand.NewPCG(seed, 7))
	r.edit(rng, 12)
	r.run()
	for n := range killRounds {
		r.edit(rng, 6)
		r.kill(1+rng.IntN(8), enginetest.When(rng.IntN(2)))
		for range rng.IntN(3) { // and once more, while it is being recovered
			r.edit(rng, 2)
			r.kill(1+rng.IntN(8), enginetest.When(rng.IntN(2)))
		}
		if rng.IntN(2) == 0 { // what was in doubt is edited before anybody looks at it
			r.edit(rng, 4)
		}
		if !mirror { // what is held is shown first, and approved then
			r.run()
		}
		if sum := r.run(); sum.Failed > 0 || sum.Held > 0 {
			t.Fatalf("seed %d, round %d: left over: %+v\n%s", seed, n, sum, r.remote.Log())
		}
		if mirror {
			r.same()
		} else {
			r.holds()
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d:\n%s", seed, n, r.remote.Log())
		}
		r.remote.ResetLog()
	}
}

// kill runs until the n-th operation, from which on nothing reaches the remote, nor the journal.
func (r *rig) kill(n int, when enginetest.When) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	at := r.remote.Ops() + n
	var once sync.Once
	killed := make(map[string][]byte) // the journal's files at that moment
	r.remote.Fail = func(op enginetest.Op) *enginetest.Fault {
		if op.N < at {
			return nil
		}
		fault := enginetest.Fault{Err: context.Canceled}
		once.Do(func() {
			fault.When = when
			for _, file := range []string{r.db, r.db + "-wal"} {
				content, err := os.ReadFile(file)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					r.t.Error(err)
				}
				killed[file] = content
			}
			cancel()
		})
		return &fault
	}
	if _, err := r.tryIn(ctx); err != nil && !errors.Is(err, context.Canceled) {
		r.t.Fatal(err)
	}
	r.remote.Fail = nil
	if len(killed) == 0 {
		return
	}
	must(r.t, os.RemoveAll(r.db+"-shm"))
	for file, content := range killed {
		must(r.t, os.WriteFile(file, content, 0o600))
	}
}

// holds fails the test unless the remote has all that the source has, and the journal is true to it.
func (r *rig) holds() {
	r.t.Helper()
	have := r.remoteFiles()
	for _, line := range r.files() {
		if !slices.Contains(have, line) {
			r.t.Errorf("the remote lacks %s", line)
		}
	}
	r.with(func(_ *engine.Engine, j *journal.Journal) {
		broken, err := j.Check(context.Background())
		must(r.t, err)
		if len(broken) > 0 {
			r.t.Errorf("journal: %s", strings.Join(broken, "; "))
		}
	})
	if report := r.verify(engine.VerifyOptions{}); !report.Clean() {
		r.t.Errorf("base and remote differ: %+v", report)
	}
}
