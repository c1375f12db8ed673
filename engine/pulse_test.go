package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
)

// Work goes on within a second of the return of a remote whose host can be asked, after however long.
func TestLoopGoesOnWhenTheHostAnswers(t *testing.T) {
	var there atomic.Bool
	there.Store(true)
	prepare := func(r *rig) {
		r.write("f", "1")
		r.pulse = func(context.Context) error {
			if there.Load() {
				return nil
			}
			return errors.New("connection refused")
		}
	}
	stays(t, fullCaps, prepare, func(t *testing.T, s *stay) {
		for range 5 {
			s.remote.SetOffline(true)
			there.Store(false)
			s.write("f", time.Now().String())
			s.seen()
			s.pass(17*time.Minute + 300*time.Millisecond)
			s.is(engine.LoopOffline)
			s.remote.SetOffline(false)
			there.Store(true)
			s.pass(time.Second)
			s.equal()
			s.is(engine.LoopIdle)
		}
	})
}

// A host that answers while the remote does not, a proxy say, is not asked every second.
func TestLoopLeavesAHostAloneThatAnswers(t *testing.T) {
	var asked atomic.Int64
	prepare := func(r *rig) {
		r.write("f", "1")
		r.pulse = func(context.Context) error { asked.Add(1); return nil }
	}
	stays(t, fullCaps, prepare, func(t *testing.T, s *stay) {
		s.remote.SetOffline(true)
		s.write("f", "two")
		s.seen()
		s.pass(time.Hour)
		s.is(engine.LoopOffline)
		probes := s.remote.Ops()
		if n := asked.Load(); n == 0 || n > 90 {
			t.Errorf("the host was asked %d times in an hour, beside %d operations", n, probes)
		}
		s.remote.SetOffline(false)
		s.pass(76 * time.Second)
		s.equal()
	})
}
