package main

import (
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
)

// TestDaemonOfflineWhy: a cycle that only plans, because the remote is away, does not hide why it is.
func TestDaemonOfflineWhy(t *testing.T) {
	r := newDaemonRig(t, "a")
	l := r.loop("a", 1)
	u := r.d.all()[0]
	const why = "connect to nas:22: connection refused"
	if err := u.update(func(s *journal.State) error { s.LastError, s.LastErrorClass = why, "offline"; return nil }); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.status.Cycles = 2
	l.mu.Unlock()
	l.enter(engine.LoopOffline, "the remote cannot be reached")
	if st := r.status("a"); st.LastError != why || st.ErrorClass != "offline" {
		t.Errorf("offline because of %q, %q", st.LastError, st.ErrorClass)
	}
	l.enter(engine.LoopIdle, "all is well")
	if st := r.status("a"); st.LastError != "" {
		t.Errorf("idle with %q", st.LastError)
	}
}
