package daemon

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// TestDaemonOfflineWhy: a cycle that only plans, because the remote is away, does not hide why it is.
func TestDaemonOfflineWhy(t *testing.T) {
	r := newDaemonRig(t, "a")
	l := r.loop("a", 1)
	u := r.d.kept.list()[0]
	const why = "connect to nas:22: connection refused"
	if err := journal.Update(u.session.Journal, func(s *journal.EngineState) { s.LastError, s.LastErrorClass = why, "offline" }); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.status.Cycles = 2
	l.mu.Unlock()
	l.enter(loop.Offline, "the remote cannot be reached")
	if st := r.status("a"); st.LastError != why || st.ErrorClass != "offline" {
		t.Errorf("offline because of %q, %q", st.LastError, st.ErrorClass)
	}
	l.enter(loop.Idle, "all is well")
	if st := r.status("a"); st.LastError != "" {
		t.Errorf("idle with %q", st.LastError)
	}
}

// TestReportChanging: a tree that is rebuilt while it is sent does not fill the log with errors.
func TestReportChanging(t *testing.T) {
	var msg strings.Builder
	log := slog.New(slog.NewTextHandler(&msg, &slog.HandlerOptions{Level: slog.LevelError}))
	r := reporter{supervisor: &supervisor{d: &process{Config: Config{Resolver: &settings.Resolver{Ctx: t.Context(), Log: log}}}}}
	changing := make([]engine.Failure, text.MaxShown)
	for i := range changing {
		changing[i] = engine.Failure{Path: fmt.Sprint("f", i), Err: fmt.Errorf("send: %w", snapshot.ErrChanged)}
	}
	r.failed(&engine.Summary{Failed: 400, Failures: changing})
	if msg.Len() > 0 {
		t.Errorf("told as errors:\n%s", msg.String())
	}
	changing[3].Err = remote.ErrPermission
	r.failed(&engine.Summary{Failed: 400, Failures: changing})
	if got := msg.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "f3") || !strings.Contains(got, "more paths") {
		t.Errorf("told as errors:\n%s", got)
	}
}

// TestWatchdogWantsProof: a loop that answers is not enough; it has to go on when it meant to, and its reporter has to come by.
func TestWatchdogWantsProof(t *testing.T) {
	r := newDaemonRig(t, "a")
	l := r.loop("a", 1)
	u := r.d.kept.list()[0]
	if err := r.d.alive(); err != nil {
		t.Fatal(err)
	}
	due := func(at time.Time) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.status.Due = at
	}
	due(time.Now().Add(-2 * overdueAfter))
	if err := r.d.alive(); err == nil {
		t.Error("a loop that did not go on counts as alive")
	}
	due(time.Now().Add(time.Hour))
	if err := r.d.alive(); err != nil {
		t.Error(err)
	}
	if err := u.stuck(time.Now().Add(2 * overdueAfter)); err == nil {
		t.Error("a reporter that does not come by counts as alive")
	}
}

// TestNoticesDoNotRepeat: a mapping with held deletes that goes on working says so once, and again after a while, or once
// something else was said.
func TestNoticesDoNotRepeat(t *testing.T) {
	var msg strings.Builder
	log := slog.New(slog.NewTextHandler(&msg, nil))
	r := reporter{supervisor: &supervisor{d: &process{Config: Config{Resolver: &settings.Resolver{Ctx: t.Context(), Log: log}}}}}
	now := time.Now()
	for range 36 {
		r.notice("held: 10", now)
		now = now.Add(250 * time.Millisecond)
	}
	if n := strings.Count(msg.String(), "\n"); n != 1 {
		t.Errorf("said %d times in 9 s:\n%s", n, msg.String())
	}
	for _, line := range []string{"offline", "held: 10"} {
		r.notice(line, now)
	}
	r.notice("held: 10", now.Add(tellAgain))
	if n := strings.Count(msg.String(), "\n"); n != 4 {
		t.Errorf("said %d times, want 4:\n%s", n, msg.String())
	}
}
