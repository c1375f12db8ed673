package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/loop"
)

// Where nothing can be moved, a rename is a copy and a delete: that is no loss that --max-delete is about,
// and it happens at once.
func TestLoopRenameByCopy(t *testing.T) {
	caps := rig.FullCaps
	caps.Move, caps.DirMove = false, false
	rig.Stays(t, caps, func(r *rig.Rig) {
		r.Cfg.MaxDelete = guard.MaxDelete{}
		for i := range 40 {
			r.Write(fmt.Sprintf("d/f%02d", i), fmt.Sprint("content ", i))
		}
	}, func(t *testing.T, s *rig.Stay) {
		s.Rename("d", "e")
		s.Seen()
		s.Pass(2 * time.Second)
		if got := s.RemoteFiles(); len(got) != 40 {
			t.Errorf("%d files on the remote two seconds after the rename", len(got))
		}
		s.Pass(10 * time.Second)
		for i := range 15 { // of 40: less than half
			s.Remove(fmt.Sprintf("e/f%02d", i))
		}
		s.Seen()
		s.Pass(10 * time.Second)
		s.Is(loop.Idle)
	})
}
