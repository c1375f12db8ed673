package daemon

import (
	"os"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/loop"
)

// status is how the mapping stands, by what the journal and the loop know.
func (u *supervisor) status() (status.Status, error) {
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
	now := u.loop.Status()
	status.Overlay(&st, &now, u.activity, u.d.started)
	return st, nil
}

// recorded is what is on disk. The caller holds the lock.
func (u *supervisor) recorded() (status.Status, error) {
	if u.session != nil {
		return status.In(u.session)
	}
	if u.mapping != nil && !u.opening && u.mapping.HasState() {
		if st, err := status.Of(u.mapping); err == nil {
			return *st, nil
		}
	}
	st := status.Status{ID: u.label, Source: u.spec.Src, Remote: "?"}
	if _, display, err := rclone.Canonical(u.spec.Remote); err == nil {
		st.Remote = display
	}
	if u.mapping != nil {
		st.ID, st.Source, st.Remote = u.mapping.ID, u.mapping.Source, u.mapping.Display
	}
	return st, nil
}

// notRunning says why, and what would change it. The caller holds the lock.
func (u *supervisor) notRunning(st *status.Status) {
	st.State, st.Since = string(loop.Stopped), text.UTC(u.since)
	switch {
	case u.err != nil:
	case u.d.end.drain.begun():
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
	st.Live = &status.Live{Started: u.d.started.UTC(), Next: text.UTC(u.next), Transfers: []status.Transfer{}}
}
