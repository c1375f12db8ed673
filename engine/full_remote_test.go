package engine_test

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// A remote that is full gets room when something is deleted, whatever the size of what does not fit.
func TestLoopFullRemoteMakesRoom(t *testing.T) {
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Write("old", "0123456789")
		r.Write("other", "x")
	}, func(t *testing.T, s *rig.Stay) {
		s.Remote.Fail = rig.Every("send", enginetest.Fault{Err: remote.ErrQuota})
		s.Write("new", "abcdefghij") // another content of the same size
		s.Seen()
		s.Pass(10 * time.Second)
		s.Remove("old")
		s.Seen()
		s.Pass(2 * time.Hour) // with full scans and retries
		if got := s.RemoteFiles(); len(got) != 1 {
			t.Errorf("the remote holds %v, and no room is made", got)
		}
	})
}

// What is gone from the source and may be what fails to arrive under another name stays.
func TestLoopFullRemoteKeepsTheOnlyCopy(t *testing.T) {
	caps := rig.FullCaps
	caps.Copy, caps.Move, caps.DirMove = false, false, false
	rig.Stays(t, caps, func(r *rig.Rig) {
		r.Write("old", "0123456789")
		r.Write("other", "x")
	}, func(t *testing.T, s *rig.Stay) {
		s.Remote.Fail = rig.Every("send", enginetest.Fault{Err: remote.ErrQuota})
		s.Rename("old", "new")
		s.Seen()
		s.Pass(2 * time.Hour)
		if got := s.RemoteFiles(); len(got) != 2 {
			t.Errorf("the remote holds %v: what was renamed is lost", got)
		}
	})
}
