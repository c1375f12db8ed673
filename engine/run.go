package engine

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// run is one call of RunWithin, Verify, Plan or Flush. It is passed down and thrown away.
type run struct {
	*Engine

	// state is what the journal remembers: read once, and changed only together with the journal. What a person
	// decides meanwhile is for the next run.
	state journal.State

	caps    remote.Caps // of the remote, less what is refused
	refused remote.Caps // what the remote turned out not to do in this run although it says that it can
	// relocated says that the remote is not in the directory that it was in before, otherDisk that it is not on the
	// same disk either: see place.go.
	relocated, otherDisk bool

	// approved is the digest of the deletes that --approve let through; "": none yet.
	approved string

	// interrupter is asked, while steps are executed, whether something is more urgent; nil: nothing ever is.
	interrupter Interrupter
	// yielded says that something was, or that steps wait for a long transfer: some are left.
	yielded bool
	// beside says that long transfers are under way while a part is scanned: they are in doubt then.
	beside bool
}

// newRun begins a run with what is known of the remote without asking it.
func (e *Engine) newRun() (*run, error) {
	state, err := e.cfg.Journal.State()
	if err != nil {
		return nil, err
	}
	r := &run{Engine: e, state: state}
	if e.conn != nil {
		r.caps = e.conn.Caps()
	} else if known, err := readCaps(&state); err == nil {
		r.caps = known.Caps
	}
	return r, nil
}

// remember changes what the journal remembers, and what this run knows of it.
func (r *run) remember(change func(*journal.State)) error {
	change(&r.state)
	return r.cfg.Journal.Update(change)
}
