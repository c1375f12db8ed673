package engine

import (
	"time"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// run is one call of RunWithin (focus.go), Verify, Plan or Flush. It is passed down and thrown away.
type run struct {
	*Engine

	memory
	source    snapshot.Identity // of the source when the round began
	begun     time.Time
	concluded bool // the journal knows how the run ended
	settled   bool // what the last execution claimed and did not acknowledge did not happen

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

// memory is what a run knows of the journal's documents: read once, and changed only together with the journal.
type memory struct {
	state journal.EngineState
	// decided is what a person had decided when the run began, less what it has used. What is decided meanwhile is for the
	// next run.
	decided journal.Decisions
	used    journal.Decisions // what it has used, and the journal does not know of yet
}

// newRun begins a run with what is known of the remote without asking it.
func (e *Engine) newRun() (*run, error) {
	state, err := e.cfg.Journal.State()
	if err != nil {
		return nil, err
	}
	r := &run{Engine: e, begun: e.cfg.Now(), memory: memory{state: state.EngineState, decided: state.Decisions}}
	if e.conn != nil {
		r.caps = e.conn.Caps()
	} else if known, err := readCaps(&r.state); err == nil {
		r.caps = known.Caps
	}
	return r, nil
}

// save has the journal remember what this run knows, where that is not to wait for the next plan or for the end of the run.
func (r *run) save() error {
	if err := r.cfg.Journal.Remember(r.record(), r.cfg.Now()); err != nil {
		return err
	}
	r.used = journal.Decisions{}
	return nil
}

// record is what the journal is to remember of this run in its next transaction.
func (r *run) record() *journal.Record { return &journal.Record{State: &r.state, Used: r.used} }

// begin has write put a plan into the journal, in one transaction with what it was made from: the source, its mounts, and
// what is held. Where the remote was reached, so are the first steps claimed, and the boot that they may be undone after. A
// crash right after leaves steps that nobody started, some of them claimed: the next run looks at those, and plans anew.
func (r *run) begin(p *planned, write func(*journal.Record) (int64, error)) (err error) {
	was := r.memory
	if err = r.takeSource(p.scanned.head, p.hold, p.moves); err == nil {
		r.takeMounts(p.scanned)
		if boot := r.cfg.Boot; p.reached && r.caps.Volatile && boot != "" {
			r.state.Unflushed = boot // acknowledged steps may be undone by a power cut from the first of them on: see flush.go
		}
		rec := r.record()
		if p.reached {
			rec.Claim = execute.PageSteps
		}
		p.cycle, err = write(rec)
	}
	if err != nil {
		r.memory = was // the end of the run must not write down half of it
		return err
	}
	r.used, r.rescan = journal.Decisions{}, nil
	return nil
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
