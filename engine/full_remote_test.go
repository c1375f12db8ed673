package engine_test

import (
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// A remote that is full gets room when something is deleted, whatever the size of what does not fit.
func TestLoopFullRemoteMakesRoom(t *testing.T) {
	stays(t, fullCaps, func(r *rig) {
		r.write("old", "0123456789")
		r.write("other", "x")
	}, func(t *testing.T, s *stay) {
		s.remote.Fail = every("send", enginetest.Fault{Err: remote.ErrQuota})
		s.write("new", "abcdefghij") // another content of the same size
		s.seen()
		s.pass(10 * time.Second)
		s.remove("old")
		s.seen()
		s.pass(2 * time.Hour) // with full scans and retries
		if got := s.remoteFiles(); len(got) != 1 {
			t.Errorf("the remote holds %v, and no room is made", got)
		}
	})
}

// What is gone from the source and may be what fails to arrive under another name stays.
func TestLoopFullRemoteKeepsTheOnlyCopy(t *testing.T) {
	caps := fullCaps
	caps.Copy, caps.Move, caps.DirMove = false, false, false
	stays(t, caps, func(r *rig) {
		r.write("old", "0123456789")
		r.write("other", "x")
	}, func(t *testing.T, s *stay) {
		s.remote.Fail = every("send", enginetest.Fault{Err: remote.ErrQuota})
		s.rename("old", "new")
		s.seen()
		s.pass(2 * time.Hour)
		if got := s.remoteFiles(); len(got) != 2 {
			t.Errorf("the remote holds %v: what was renamed is lost", got)
		}
	})
}
