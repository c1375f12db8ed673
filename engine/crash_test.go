package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

var errInjected = errors.New("injected")

// crashSeeds is how many sequences of edits each fault meets; a hunt wants more.
const crashSeeds = 1

// crashCaps are remotes that differ in how a change gets there.
func crashCaps() map[string]remote.Caps {
	backup, coarse := rig.FullCaps, rig.FullCaps
	backup.Backup = true
	coarse.Precision = time.Second
	return map[string]remote.Caps{
		"full":     rig.FullCaps,
		"bucket":   {Copy: true, SetModTime: true, BucketBased: true, Precision: time.Nanosecond, DeleteBatch: 100},
		"no copy":  {Move: true, DirMove: true, SetModTime: true, EmptyDirs: true, Precision: time.Second, DeleteBatch: 100},
		"minimal":  {Precision: time.Second},
		"backup":   backup,
		"coarse":   coarse,
		"no touch": {Move: true, DirMove: true, Copy: true, EmptyDirs: true, Precision: time.Nanosecond},
		"no mtime": {Move: true, DirMove: true, EmptyDirs: true},
	}
}

// TestCrashModel edits, runs with the n-th operation failing in each possible way, drops everything
// but the journal and the remote, and runs again: the remote must end up true to the source, with
// nothing left over. n grows until no operation is left to fail.
func TestCrashModel(t *testing.T) {
	faults := []enginetest.Fault{
		{When: enginetest.Before, Err: errInjected},
		{When: enginetest.Before, Err: remote.ErrOffline},
		{When: enginetest.Before, Err: remote.ErrQuota},
		{When: enginetest.Before, Err: remote.ErrTemporary},
		{When: enginetest.Before, Err: remote.ErrNotFound},
		{When: enginetest.Before, Err: remote.ErrCannotMove},
		{When: enginetest.After, Err: errInjected},
		{When: enginetest.After, Err: remote.ErrOffline},
		{When: enginetest.After, Err: remote.ErrTemporary},
		{When: enginetest.After, Err: remote.ErrNotFound},
		{When: enginetest.Torn, Err: errInjected},
		{When: enginetest.Torn, Err: remote.ErrOffline},
	}
	for name, caps := range crashCaps() {
		for _, fault := range faults {
			t.Run(fmt.Sprintf("%s/%v/%v", name, fault.When, fault.Err), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(crashSeeds) {
					crashModel(t, caps, seed, fault)
				}
			})
		}
	}
}

func crashModel(t *testing.T, caps remote.Caps, seed uint64, fault enginetest.Fault) {
	r := rig.New(t, caps)
	r.Cfg.Retries = 1
	rng := rand.New(rand.NewPCG(seed, 1))
	r.Edit(rng, 12)
	for n := 1; ; n++ {
		r.Edit(rng, 6)
		before := r.Remote.Ops()
		r.Remote.FailNth(n, fault)
		_, err := r.Try()
		if err != nil && !errors.Is(err, fault.Err) {
			t.Fatalf("seed %d, operation %d: %v", seed, n, err)
		}
		exhausted := r.Remote.Ops()-before < n
		r.Remote.Fail = nil
		if n%2 == 0 { // what was in doubt is edited before anybody looks at it
			r.Edit(rng, 4)
		}
		if sum := r.Run(); sum.Failed > 0 {
			t.Fatalf("seed %d, after operation %d failed: still failing: %+v\n%s", seed, n, sum.Failures, r.Remote.Log())
		}
		if r.Same(); t.Failed() {
			t.Fatalf("seed %d, after operation %d failed:\n%s", seed, n, r.Remote.Log())
		}
		r.Remote.ResetLog()
		if exhausted {
			break
		}
	}
	r.Quiet()
}
