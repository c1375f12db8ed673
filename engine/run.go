package engine

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// run is one call of RunWithin, Verify, Plan or Flush. It is passed down and thrown away.
type run struct {
	*Engine

	// state is the engine's document in the journal: read once, and changed only together with the journal.
	state journal.EngineState
	// decided is what a person had decided when the run began, less what it has used. What is decided meanwhile is for the
	// next run.
	decided journal.Decisions
	used    journal.Decisions // what it has used, and the journal does not know of yet

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
	r := &run{Engine: e, state: state.EngineState, decided: state.Decisions}
	if e.conn != nil {
		r.caps = e.conn.Caps()
	} else if known, err := readCaps(&r.state); err == nil {
		r.caps = known.Caps
	}
	return r, nil
}

// save has the journal remember what this run knows.
func (r *run) save() error {
	err := r.cfg.Journal.Remember(&journal.Record{State: &r.state, Used: r.used})
	if err == nil {
		r.used = journal.Decisions{}
	}
	return err
}

// use uses up those of the approvals that are set in d.
func (r *run) use(d journal.Decisions) {
	if d.ApprovedDigest != "" {
		r.used.ApprovedDigest, r.decided.ApprovedDigest = d.ApprovedDigest, ""
	}
	if d.NewSourceApproved {
		r.used.NewSourceApproved, r.decided.NewSourceApproved = true, false
	}
	if d.NewRemoteApproved {
		r.used.NewRemoteApproved, r.decided.NewRemoteApproved = true, false
	}
}
