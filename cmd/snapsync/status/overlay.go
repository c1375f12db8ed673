package status

import (
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/journal"
)

// Overlay adds to what the journal says what only the process knows that keeps the mapping true, since started.
func Overlay(st *Status, now *loop.Status, f *Activity, started time.Time) {
	word, why := wordFor(&facts{State: &journal.State{Decisions: journal.Decisions{Paused: st.Paused}}, Loop: now})
	st.State, st.Since, st.Why = string(word), text.UTC(now.Since), why
	if oldest := now.Oldest; !oldest.IsZero() && (st.OldestUnsynced == nil || oldest.Before(*st.OldestUnsynced)) {
		st.OldestUnsynced = text.UTC(oldest)
	}
	st.LagSeconds = lag(st.OldestUnsynced, time.Now())
	if now.Cycles > 0 && (now.Err != "" || now.State != loop.Offline) { // else it only planned, and the journal knows
		st.LastError, st.ErrorClass = now.Err, now.ErrKind
	}
	st.Live = &Live{
		Started: started.UTC(), Next: text.UTC(now.Next), Hints: now.Hints, Missed: now.Missed, Cycles: now.Cycles,
		AtOnce: now.Transfers,
		Watch: Watch{
			Watched: now.Watch.Watched, Polled: now.Watch.Polled, Overflows: now.Watch.Overflows,
			Proved: text.UTC(now.Watch.Proved), Problems: now.Watch.Problems,
		},
	}
	st.Live.Transfers, st.Live.Rate, st.Live.Left = f.Transfers()
	if word != loop.Syncing { // what a plan left that was ended says nothing of the next
		st.Live.Left = 0
	}
}
