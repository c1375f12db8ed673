package loop_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/loop"
)

// Work goes on within a second of the return of a remote whose host can be asked, after however long.
func TestLoopGoesOnWhenTheHostAnswers(t *testing.T) {
	var there atomic.Bool
	there.Store(true)
	prepare := func(r *rig.Rig) {
		r.Write("f", "1")
		r.Pulse = func(context.Context) error {
			if there.Load() {
				return nil
			}
			return errors.New("connection refused")
		}
	}
	rig.Stays(t, rig.FullCaps, prepare, func(t *testing.T, s *rig.Stay) {
		for range 5 {
			s.Remote.SetOffline(true)
			there.Store(false)
			s.Write("f", time.Now().String())
			s.Seen()
			s.Pass(17*time.Minute + 300*time.Millisecond)
			s.Is(loop.Offline)
			s.Remote.SetOffline(false)
			there.Store(true)
			s.Pass(time.Second)
			s.Equal()
			s.Is(loop.Idle)
		}
	})
}

// A host that answers while the remote does not, a proxy say, is not asked every second.
func TestLoopLeavesAHostAloneThatAnswers(t *testing.T) {
	var asked atomic.Int64
	prepare := func(r *rig.Rig) {
		r.Write("f", "1")
		r.Pulse = func(context.Context) error { asked.Add(1); return nil }
	}
	rig.Stays(t, rig.FullCaps, prepare, func(t *testing.T, s *rig.Stay) {
		s.Remote.SetOffline(true)
		s.Write("f", "two")
		s.Seen()
		s.Pass(time.Hour)
		s.Is(loop.Offline)
		probes := s.Remote.Ops()
		if n := asked.Load(); n == 0 || n > 90 {
			t.Errorf("the host was asked %d times in an hour, beside %d operations", n, probes)
		}
		s.Remote.SetOffline(false)
		s.Pass(76 * time.Second)
		s.Equal()
	})
}
