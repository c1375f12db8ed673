package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
)

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

var errInjected = errors.New("injected")

// TestCrashModel edits, runs with the n-th operation failing in each possible way, drops everything
// but the journal and the remote, and runs again: the remote must end up true to the source, with
// nothing left over. n grows until no operation is left to fail.
func TestCrashModel(t *testing.T) {
	capsets := map[string]engine.Caps{
		"full":    fullCaps,
		"bucket":  {Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100},
		"minimal": {Precision: time.Second},
	}
	for name, caps := range capsets {
		for _, when := range []enginetest.When{enginetest.Before, enginetest.After, enginetest.Torn} {
			for _, class := range []error{errInjected, engine.ErrOffline} {
				t.Run(fmt.Sprintf("%s/%v/%v", name, when, class), func(t *testing.T) {
					t.Parallel()
					for seed := range uint64(4) {
						crashModel(t, caps, seed, enginetest.Fault{When: when, Err: class})
					}
				})
			}
		}
	}
}

func crashModel(t *testing.T, caps engine.Caps, seed uint64, fault enginetest.Fault) {
	r := newRig(t, caps)
	r.cfg.Retries = 1
	rng := rand.New(rand.NewPCG(seed, 1))
	r.edit(rng, 12)
	for n := 1; ; n++ {
		r.edit(rng, 6)
		before := r.remote.Ops()
		r.remote.FailNth(n, fault)
		_, err := r.try()
		if err != nil && !errors.Is(err, fault.Err) {
			t.Fatalf("seed %d, operation %d: %v", seed, n, err)
		}
		exhausted := r.remote.Ops()-before < n
		r.remote.Fail = nil
		if n%2 == 0 { // what was in doubt is edited before anybody looks at it
			r.edit(rng, 4)
		}
		if sum := r.run(); sum.Failed > 0 {
			t.Fatalf("seed %d, after operation %d failed: still failing: %+v\n%s", seed, n, sum.Failures, r.remote.Log())
		}
		if r.same(); t.Failed() {
			t.Fatalf("seed %d, after operation %d failed:\n%s", seed, n, r.remote.Log())
		}
		r.remote.ResetLog()
		if exhausted {
			break
		}
	}
	r.quiet()
}
