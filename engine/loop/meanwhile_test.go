package loop_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

var meanwhileSeeds = flag.Uint64("loop.meanwhile", 2, "how many random stories TestLoopMeanwhileModel tells of each remote")

// TestLoopMeanwhileModel edits while cycles look and act, at every point of a cycle, long transfers under way or not, and
// then lets the loop come to rest.
func TestLoopMeanwhileModel(t *testing.T) {
	noMoves := rig.FullCaps
	noMoves.Move, noMoves.DirMove = false, false
	bucket := remote.Caps{Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100}
	for name, caps := range map[string]remote.Caps{"full": rig.FullCaps, "no moves": noMoves, "bucket": bucket} {
		for seed := range *meanwhileSeeds {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) { meanwhileModel(t, caps, seed) })
		}
	}
}

func meanwhileModel(t *testing.T, caps remote.Caps, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 17))
	var mu sync.Mutex
	var stay *rig.Stay // whoever edits gives hints to it; nil: nobody edits
	left := 0
	edit := func() {
		mu.Lock()
		defer mu.Unlock()
		if stay != nil && left > 0 && rng.IntN(20) == 0 {
			left--
			stay.Upheave(rng, 1+rng.IntN(2))
			stay.Seen()
		}
	}
	prepare := func(r *rig.Rig) {
		r.Cfg.Retries = 1
		if seed%2 == 1 {
			someAreSlow(r, rand.New(rand.NewPCG(seed, 5)))
		}
		r.Edit(rng, 12)
		r.Meanwhile(edit, nil)
	}
	rig.Stays(t, caps, prepare, func(t *testing.T, s *rig.Stay) {
		s.Pass(time.Minute)
		for range 8 {
			s.Upheave(rng, 3)
			s.Seen()
			busy := time.Duration(1+rng.IntN(40)) * time.Second
			mu.Lock()
			stay, left = s, 1+rng.IntN(6) // rng is edit's from here on
			mu.Unlock()
			s.Pass(busy)
			mu.Lock()
			stay = nil
			mu.Unlock()
			s.Pass(10 * time.Minute)
			if s.Equal(); t.Failed() {
				t.FailNow()
			}
			s.Sound()
			s.Remote.ResetLog()
		}
	})
}
