package loop_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// A path that failed is tried again as soon as ever: when it failed last is a time of the wall, in the journal.
func TestClockStepsWhileSetAside(t *testing.T) {
	var tries atomic.Int64
	steps(t, func(r *rig.Rig) {
		r.Cfg.Retries = 1
		r.Write("f", "1")
		r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
			if op.Name != "send" || op.Path != "bad" {
				return nil
			}
			tries.Add(1)
			return &enginetest.Fault{Err: remote.ErrPermission}
		}
	}, func(t *testing.T, s *rig.Stay, step func()) {
		tries.Store(0)
		s.Write("bad", "cannot be sent")
		s.Seen()
		s.Pass(time.Second)
		step()
		s.Pass(30 * time.Minute) // after 1, 2, 4, 8 and 16 minutes
		if n := tries.Load(); n < 4 || n > 8 {
			t.Errorf("tried %d times in half an hour", n)
		}
		step()
		s.Pass(time.Hour)
		if n := tries.Load(); n < 5 || n > 12 {
			t.Errorf("tried %d times in an hour and a half", n)
		}
	})
}
