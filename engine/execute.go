package engine

import (
	"context"
	"errors"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// MaxTransfers is how many steps at once the engine chooses by itself at most.
const MaxTransfers = execute.MaxTransfers

// ErrPaused means that a person paused, and that the transfers under way were given up.
var ErrPaused = execute.ErrPaused

// Interrupter decides what an execution is for: the loop does. It is asked in the goroutine of RunWithin, often.
type Interrupter interface {
	// Yield reports whether something more urgent than the rest of the plan has come up.
	Yield() bool
	// Due reports whether something is to be scanned that can be planned beside the paths in flight.
	Due(inFlight *pathset.Claims) bool
	// Replan has that scanned: plan scans, plans, and puts the plan into the journal.
	Replan(inFlight *pathset.Claims, plan func(Focus) (Outcome, error)) error
	// Abort reports whether even what is under way is to be given up.
	Abort() bool
}

// planned is a plan that the journal has.
type planned struct {
	execute.Batch
	scanned *scanned    // without its changes, which may be many
	moves   [][2]string // directories that move: from, to
	hold    *guard.Hold // nil: nothing is held
	cycle   int64       // 0: nothing is pending
	idle    bool        // what is pending has to wait

	reached   bool  // the remote is open, and the first steps are claimed
	unreached error // why it is not, although there are steps
}

// takeMoves takes in which directories steps move.
func (p *planned) takeMoves(steps []journal.Step) {
	for i := range steps {
		if s := &steps[i]; s.Action == journal.Move && s.Dir {
			p.moves = append(p.moves, [2]string{s.From, s.Path})
		}
	}
}

// execute performs what is pending: p, and what takes its place meanwhile. The remote is open.
func (r *run) execute(ctx context.Context, p *planned, sum *Summary) (again bool, err error) {
	if p.unreached != nil {
		return false, p.unreached
	}
	cfg := r.executor(&r.caps)
	cfg.Done = func(s *journal.Step) { r.burst.Did(s, r.cfg.Now()) }
	var i execute.Interrupter
	if r.interrupter != nil {
		i = &replanner{r.interrupter, r, p, sum}
	}
	done, err := execute.Run(ctx, cfg, p.Batch, i)
	r.take(&done, sum)
	err = errors.Join(err, r.takePlace())
	if r.cfg.Staying {
		return done.Again && !done.Yielded, err // the Loop flushes when it is idle
	}
	return done.Again, errors.Join(err, r.flush(ctx))
}

// executor is what steps are executed with.
func (e *Engine) executor(caps *remote.Caps) execute.Config {
	return execute.Config{
		Journal: e.cfg.Journal, Conn: e.conn, Caps: *caps, Source: e.cfg.Scan,
		Transfers: e.cfg.Transfers, Retries: e.cfg.Retries, Watched: e.cfg.Staying, Slots: e.cfg.Slots, Concurrency: &e.concurrency,
		Observe: e.cfg.Observe, Log: e.cfg.Log, Now: e.cfg.Now,
	}
}

// take takes what an execution found out into the run and its Summary.
func (r *run) take(done *execute.Result, sum *Summary) {
	sum.Counts = sum.Counts.Plus(done.Counts)
	sum.Failed += done.Failed
	sum.Failures = append(sum.Failures, done.Failures[:min(len(done.Failures), MaxFailures-len(sum.Failures))]...)
	r.yielded, r.inDoubt, r.settled = done.Yielded, done.InDoubt, done.Settled
	r.rescan = append(r.rescan, done.Rescan...)
	refused, now := &r.refused, &done.Refused
	refused.Move, refused.DirMove = refused.Move || now.Move, refused.DirMove || now.DirMove
	refused.Copy, refused.SetMetadata = refused.Copy || now.Copy, refused.SetMetadata || now.SetMetadata
}

// replanner is the execution's Interrupter. What is due is a cycle of its own, planned by the run that executes.
type replanner struct {
	Interrupter
	run     *run
	planned *planned // by the last cycle
	sum     *Summary
}

// Replan implements execute.Interrupter. The steps in flight are in doubt for the plan.
func (i *replanner) Replan(ctx context.Context, inFlight []journal.Step, rescan []string) (execute.Batch, error) {
	r := i.run
	r.rescan = append(r.rescan, rescan...)
	r.beside, r.inDoubt = true, inFlight
	defer func() { r.beside, r.inDoubt = false, nil }()
	paths := pathset.ClaimsOf(&r.caps, inFlight)
	err := i.Interrupter.Replan(&paths, func(f Focus) (out Outcome, err error) {
		if r.source, err = r.checkSource(); err != nil {
			return out, err
		}
		p, err := r.prepareWithin(ctx, f, &out)
		if err != nil {
			return out, err
		}
		*i.planned, out.Planned = p, true
		return out, r.show(&p, i.sum)
	})
	return i.planned.Batch, err
}
