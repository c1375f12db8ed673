package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// killRounds and killSeeds are how often each remote is killed; a hunt wants more of both.
const killRounds, killSeeds = 8, 1

// TestKillModel edits, and kills the run at some operation, done or not: the journal is from then on
// the files that it had at that moment. After another run the remote must be true to the source, and
// hold all of it where deletes are retained.
func TestKillModel(t *testing.T) {
	noDirMove := rig.FullCaps
	noDirMove.DirMove = false
	remotes := crashCaps()
	remotes["no directory move"] = noDirMove
	for _, name := range []string{"full", "backup", "bucket", "coarse", "no directory move", "no copy"} {
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
	r := rig.New(t, caps)
	r.Cfg.CompleteSync, r.Cfg.Approve = mirror, !mirror
	r.Cfg.Retries = 1
	rng := rand.New(rand.NewPCG(seed, 7))
	r.Edit(rng, 12)
	r.Run()
	for n := range killRounds {
		r.Edit(rng, 6)
		r.Kill(1+rng.IntN(8), enginetest.When(rng.IntN(2)))
		for range rng.IntN(3) { // and once more, while it is being recovered
			r.Edit(rng, 2)
			r.Kill(1+rng.IntN(8), enginetest.When(rng.IntN(2)))
		}
		if rng.IntN(2) == 0 { // what was in doubt is edited before anybody looks at it
			r.Edit(rng, 4)
		}
		if !mirror { // what is held is shown first, and approved then
			r.Run()
		}
		if sum := r.Run(); sum.Failed > 0 || sum.Held > 0 {
			t.Fatalf("seed %d, round %d: left over: %+v\n%s", seed, n, sum, r.Remote.Log())
		}
		if mirror {
			r.Same()
		} else {
			r.Holds()
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d:\n%s", seed, n, r.Remote.Log())
		}
		r.Remote.ResetLog()
	}
}
