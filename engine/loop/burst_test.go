package loop_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/loop"
)

// A burst of removals is judged as a whole, although it lasts longer than any delete has grace, and whatever is edited in
// between: nothing of it is deleted before somebody has approved all.
func TestBurstIsJudgedWhole(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 60 {
			r.Write(fmt.Sprintf("f%02d", i), fmt.Sprint(i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		for i := range 40 {
			s.Remove(fmt.Sprintf("f%02d", i))
			s.Write("f50", fmt.Sprint("edit ", i))
			s.Seen()
			s.Pass(500 * time.Millisecond)
		}
		s.Pass(time.Minute)
		s.Is(loop.Held)
		if got := len(s.RemoteFiles()); got != 60 {
			t.Errorf("%d of 60 files are left", got)
		}
		rig.Must(t, rig.ApproveHeld(s.Journal))
		s.Wake()
		s.Pass(time.Minute)
		s.Is(loop.Idle)
		s.Equal()
	})
}
