package engine

import (
	"time"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// run is one call of RunWithin (focus.go), Verify, Plan or Flush. It is passed down and thrown away.
type run struct {
	link

	source    snapshot.Identity // of the source when the round began
	begun     time.Time
	concluded bool // the journal knows how the run ended
	settled   bool // what the last execution claimed and did not acknowledge did not happen

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
	m := memory{config: &e.cfg, state: state.EngineState, decided: state.Decisions}
	if e.burst.Last.IsZero() { // of another process, maybe; its own knows also how the clock was set meanwhile
		e.burst.Burst = state.Burst
	}
	r := &run{link: link{Engine: e, memory: m}, begun: e.cfg.Now()}
	if e.conn != nil {
		r.caps = r.remoteCaps()
	} else if known, err := r.knownCaps(); err == nil {
		r.caps = known.Caps
	}
	return r, nil
}

// begin has write put a plan into the journal, in one transaction with what it was made from: the source, its mounts, and
// what is held. Where the remote was reached, so are the first steps claimed, and the boot that they may be undone after. A
// crash right after leaves steps that nobody started, some of them claimed: the next run looks at those, and plans anew.
func (r *run) begin(p *planned, write func(*journal.Record) (int64, error)) (err error) {
	was := r.memory
	if err = r.takeSource(r.source, p.scanned.head.Mounts, p.hold, p.moves); err == nil {
		r.takeMounts(p.scanned)
		if boot := r.cfg.Boot; p.reached && r.caps.Volatile && boot != "" {
			r.state.Unflushed = boot // acknowledged steps may be undone by a power cut from the first of them on: see Flush
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
