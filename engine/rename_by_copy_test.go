package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine"
)

// Where nothing can be moved, a rename is a copy and a delete: that is no loss that --max-delete is about,
// and it happens at once.
func TestLoopRenameByCopy(t *testing.T) {
	caps := fullCaps
	caps.Move, caps.DirMove = false, false
	stays(t, caps, func(r *rig) {
		r.cfg.MaxDelete = engine.MaxDelete{}
		for i := range 40 {
			r.write(fmt.Sprintf("d/f%02d", i), fmt.Sprint("content ", i))
		}
	}, func(t *testing.T, s *stay) {
		s.rename("d", "e")
		s.seen()
		s.pass(2 * time.Second)
		if got := s.remoteFiles(); len(got) != 40 {
			t.Errorf("%d files on the remote two seconds after the rename", len(got))
		}
		s.pass(10 * time.Second)
		for i := range 15 { // of 40: less than half
			s.remove(fmt.Sprintf("e/f%02d", i))
		}
		s.seen()
		s.pass(10 * time.Second)
		s.is(engine.LoopIdle)
	})
}
