package main

import (
	"os"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/loop"
)

// status is how the mapping stands, by what the journal and the loop know.
func (u *upkeep) status() (control.Status, error) {
	u.mu.Lock()
	defer u.mu.Unlock() // so that the journal is not closed meanwhile
	st, err := u.recorded()
	if err != nil {
		return st, err
	}
	if st.Mapping = u.spec.Name; st.Mapping == "" {
		st.Mapping = st.ID
	}
	if u.session != nil {
		st.PID = os.Getpid()
	}
	if u.loop == nil {
		u.notRunning(&st)
		return st, nil
	}
	u.alive(&st)
	return st, nil
}

// recorded is what is on disk. The caller holds the lock.
func (u *upkeep) recorded() (control.Status, error) {
	if u.session != nil {
		return statusIn(u.session)
	}
	if u.mapping != nil && !u.opening && u.mapping.HasState() {
		if st, err := u.d.statusOf(u.mapping); err == nil {
			return *st, nil
		}
	}
	st := control.Status{ID: u.label, Source: u.spec.Src, Remote: "?"}
	if _, display, err := rclone.Canonical(u.spec.Remote); err == nil {
		st.Remote = display
	}
	if u.mapping != nil {
		st.ID, st.Source, st.Remote = u.mapping.ID, u.mapping.Source, u.mapping.Display
	}
	return st, nil
}

// notRunning says why, and what would change it. The caller holds the lock.
func (u *upkeep) notRunning(st *control.Status) {
	st.State, st.Since = string(loop.Stopped), text.UTC(u.since)
	switch {
	case u.err != nil:
	case u.d.grace.begun():
		st.Why = "it is being stopped; the next run continues"
		return
	default:
		st.Why = "it is being started"
		return
	}
	st.LastError = u.err.Error()
	st.Why = "it cannot be kept up to date; it is tried again by itself, and at once by 'snapsync sync'"
	if hint := exit.Of(u.err).Hint; hint != "" {
		st.Why += "; " + hint
	}
	st.Live = &control.Live{Started: u.d.started.UTC(), Next: text.UTC(u.next), Transfers: []control.Transfer{}}
}

// alive overlays what the loop knows. The caller holds the lock.
func (u *upkeep) alive(st *control.Status) {
	now := u.loop.Status()
	st.State, st.Since, st.Why = string(now.State), text.UTC(now.Since), now.Why
	if oldest := now.Oldest; !oldest.IsZero() && (st.OldestUnsynced == nil || oldest.Before(*st.OldestUnsynced)) {
		st.OldestUnsynced = text.UTC(oldest)
	}
	st.LagSeconds = lag(st.OldestUnsynced, time.Now())
	if now.Cycles > 0 && (now.Err != "" || now.State != loop.Offline) { // else it only planned, and the journal knows
		st.LastError, st.ErrorClass = now.Err, now.ErrKind
	}
	if st.Paused && now.State != loop.Scanning && now.State != loop.Syncing && now.State != loop.Paused {
		st.State, st.Why = string(loop.Paused), "a person paused it; 'snapsync resume' goes on" // it is about to see that
	}
	live := &control.Live{
		Started: u.d.started.UTC(), Next: text.UTC(now.Next), Hints: now.Hints, Missed: now.Missed, Cycles: now.Cycles,
		AtOnce: now.Transfers,
		Watch: control.Watch{
			Watched: now.Watch.Watched, Polled: now.Watch.Polled, Overflows: now.Watch.Overflows,
			Proved: text.UTC(now.Watch.Proved), Problems: now.Watch.Problems,
		},
	}
	live.Transfers, live.Rate, live.Left = u.flight.transfers()
	if st.State != string(loop.Syncing) { // what a plan left that was ended says nothing of the next
		live.Left = 0
	}
	st.Live = live
}

// lag is the age of the oldest change that is not on the remote, in seconds.
func lag(oldest *time.Time, now time.Time) float64 {
	if oldest == nil {
		return 0
	}
	return max(now.Sub(*oldest).Seconds(), 0)
}
