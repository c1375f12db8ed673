package status

import (
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/journal"
)

// facts are what the word for a mapping is made of.
type facts struct {
	State   *journal.State
	Counts  journal.Counts
	Loop    *loop.Status   // of this process; nil: only the disk tells
	Running bool           // a process has the mapping
	Holder  mapping.Holder // that process
}

// wordFor returns the one word for how a mapping stands, and why it is so and what would change it, for a person.
func wordFor(f *facts) (state loop.State, why string) {
	if f.Loop == nil {
		state = f.onDisk()
		return state, f.whyOnDisk(state)
	}
	switch now := f.Loop.State; {
	case now == loop.Scanning, now == loop.Syncing, now == loop.Paused:
	case f.State.Paused:
		return loop.Paused, "a person paused it; 'snapsync resume' goes on" // it is about to see that
	}
	return f.Loop.State, f.Loop.Why
}

// onDisk is the word for a mapping that nobody can be asked about.
func (f *facts) onDisk() loop.State {
	s, c := f.State, f.Counts
	// The number of a `run` that stays is in the state, together with what it is doing.
	stays := f.Running && f.Holder.PID != 0 && s.PID == f.Holder.PID
	after := loop.StateAfter(s.LastErrorClass)
	doing, _ := s.Doing()
	switch {
	case f.Running && !stays && c.Pending > 0:
		return loop.Syncing
	case f.Running && !stays:
		return loop.Scanning
	case s.Paused:
		return loop.Paused
	case c.Held > 0, s.MountsHeld > 0:
		return loop.Held
	case after != loop.Stopped:
		return after
	case stays && (doing == "scanning" || doing == "syncing"):
		return loop.State(doing)
	case stays && c.Pending > c.Failed:
		return loop.Syncing
	case c.Pending > 0, c.Failed > 0, s.LastError != "", s.LastSuccess.IsZero():
		return loop.Stopped
	}
	return loop.Idle
}

func (f *facts) whyOnDisk(state loop.State) string {
	switch {
	case f.Running && state == loop.Paused:
		return "'snapsync resume' goes on"
	case f.Running && (state == loop.Syncing || state == loop.Scanning):
		return "by process " + f.Holder.String()
	case f.Running:
		return "kept up to date by process " + f.Holder.String()
	case state == loop.Paused:
		return "runs do nothing until 'snapsync resume'"
	case state == loop.Offline:
		return "the remote could not be reached, or answered uselessly; the next run tries again"
	case state == loop.Stopped:
		return "the next run continues"
	case state == loop.Held && f.Counts.Held == 0 && f.State.MountsHeld == 0:
		return "the source is not the directory that was snapshotted, or cannot be read; the next run looks again"
	case state == loop.Held && f.Counts.Held == 0:
		return "what is not mounted is kept on the remote; everything else is done"
	case state == loop.Held:
		return "a person must approve what is held; everything else is done"
	}
	return "nothing is running; the next run looks for changes"
}
