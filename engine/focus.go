package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Focus narrows a run. The zero value is a whole run: it scans everything.
type Focus struct {
	// Scopes are the places to scan; nil: everywhere. What is pending elsewhere is executed as it
	// was planned, but for the paths that failed lately: those wait, see backedOff.
	Scopes []snapshot.Scope
	// Grace are paths, each in Scopes as well, whose absence is not acted on yet unless they are one
	// half of a move: the other half may be still to come.
	Grace []string
	// PlanOnly leaves everything to a later run: the remote is away. Scopes is not nil then.
	PlanOnly bool
}

// Outcome is what a narrowed run did.
type Outcome struct {
	Summary
	Planned bool          // what was found is in the journal, whatever became of it afterwards
	Whole   bool          // it had to scan everything
	Looked  time.Duration // until the last plan was in the journal
	Waiting []string      // of Focus.Grace: absent, not moved, and not acted on
	// Deferred are those of Focus.Scopes that were not scanned: nobody knows yet what the remote holds
	// there, and with Focus.PlanOnly it cannot be asked.
	Deferred []string
	// Yielded: something was more urgent, or waits for a long transfer: steps are left to another run.
	Yielded bool
	// Unflushed: what was done may be undone by a power cut of this machine until Flush returns.
	Unflushed bool
}

const (
	// MaxPending bounds the pending steps that a narrowed run goes through: beyond that a scan of
	// everything is cheaper than to tell what may stay.
	MaxPending = 20_000
	// maxWidenings bounds how often a narrowed scan takes in what turned out to be connected.
	maxWidenings = 4
)

// RunWithin is Run for a source that is being watched: it costs what changed, not what exists. While steps are executed
// it asks i, if that is not nil, whether something is more urgent.
func (e *Engine) RunWithin(ctx context.Context, f Focus, i Interrupter) (out Outcome, err error) {
	r, err := e.newRun()
	if err != nil {
		return out, err
	}
	r.interrupter = i
	err = r.catchUp(ctx, f, &out)
	out.Seconds = e.cfg.Now().Sub(r.begun).Seconds()
	out.Yielded = r.yielded
	out.Unflushed = e.conn != nil && r.caps.Volatile
	if e.cfg.Staying && (err == nil || errors.Is(err, ErrPaused)) {
		e.cfg.Approve = false // it was for the first run
	}
	if f.PlanOnly && err == nil {
		return out, nil
	}
	if failed := r.conclude(&out.Summary, err); failed != nil && err == nil {
		err = failed
	}
	return out, err
}

// prepareWithin is prepare for a part of the source. Steps that are pending and have nothing to do with
// that part stay as they are.
func (r *run) prepareWithin(ctx context.Context, f Focus, out *Outcome) (p planned, err error) {
	pending, few, err := pendingSteps(r.cfg.Journal, MaxPending)
	if err != nil {
		return p, err
	}
	scopes := f.Scopes
	if f.PlanOnly {
		if r.inDoubt, err = r.stepsInDoubt(); err != nil {
			return p, err
		}
	}
	if f.PlanOnly || r.beside {
		var deferred []string
		pending, scopes, deferred = leaveInDoubt(&r.caps, r.inDoubt, pending, scopes)
		out.Deferred = append(out.Deferred, deferred...)
	}
	for _, path := range r.rescan {
		scopes = append(scopes, snapshot.Scope{Path: path, Deep: true})
	}
	for range maxWidenings {
		if !few {
			break
		}
		var kept, dropped []journal.Step
		scopes, kept, dropped = widen(&r.caps, scopes, pending)
		if len(scopes) == 0 {
			p.scanned = &scanned{head: &snapshot.Head{Mounts: r.state.Mounts}}
		} else if p.scanned, err = r.scan(ctx, scopes, r.cfg.Journal); err != nil {
			return p, err
		}
		plan, waiting, err := r.planGracefully(p.scanned, f.Grace)
		if err != nil {
			return p, err
		}
		if (f.PlanOnly || r.beside) && len(overlapping(&r.caps, r.inDoubt, plan.Steps)) > 0 {
			if r.beside {
				return p, execute.ErrEntangled
			}
			return p, fmt.Errorf("%w, and what is new depends on what may have happened there", remote.ErrOffline)
		}
		if entangled := overlapping(&r.caps, kept, plan.Steps); len(entangled) > 0 {
			scopes = append(scopes, scopesOf(entangled)...)
			continue
		}
		if err := r.readyPart(ctx, f, &p, plan.Steps, kept); err != nil {
			return p, err
		}
		out.Waiting = append(out.Waiting, waiting...) // an earlier round may have had some
		return p, r.amend(&p, plan, scopes, kept, dropped)
	}
	switch {
	case f.PlanOnly:
		return p, fmt.Errorf("%w, and too much is pending to plan anew meanwhile", remote.ErrOffline)
	case r.beside:
		return p, execute.ErrEntangled
	}
	out.Whole = true
	return r.prepareWhole(ctx)
}

// pendingSteps returns what the journal has pending, unless it is more than limit.
func pendingSteps(j *journal.Journal, limit int) (steps []journal.Step, few bool, err error) {
	for s, err := range j.EachPending(0) {
		if err != nil || len(steps) == limit {
			return nil, false, err
		}
		steps = append(steps, *s)
	}
	return steps, true, nil
}

// planGracefully plans, and takes out again what went away and was not moved, as long as it has grace.
func (r *run) planGracefully(s *scanned, grace []string) (plan journal.Plan, waiting []string, err error) {
	if plan, err = r.plan(s); err != nil || len(grace) == 0 {
		return plan, nil, err
	}
	waiting = unexplained(plan.Steps, s.changes, grace)
	if len(waiting) == 0 {
		return plan, nil, nil
	}
	spared := pathset.New(&remote.Caps{})
	for _, path := range waiting {
		spared.Count(path, 1)
	}
	s.changes = slices.DeleteFunc(s.changes, func(c snapshot.Change) bool { return c.New == nil && spared.Covers(c.Path) })
	plan, err = r.plan(s)
	return plan, waiting, err
}

// readyPart guards the plan of a part, and opens the remote for it and for what is kept, unless all that has to wait.
func (r *run) readyPart(ctx context.Context, f Focus, p *planned, steps, kept []journal.Step) (err error) {
	if p.hold, err = r.guard(steps, p.scanned.head); err != nil {
		return err
	}
	if p.BackedOff, err = backedOff(r.cfg.Journal, kept, r.cfg.Now()); err != nil {
		return err
	}
	p.idle = len(steps) == 0 && len(p.BackedOff) == len(kept)
	if p.idle || f.PlanOnly || r.beside {
		return nil
	}
	return r.reach(ctx, p)
}

// amend makes the plan of a part durable beside what is kept.
func (r *run) amend(p *planned, plan journal.Plan, scopes []snapshot.Scope, kept, dropped []journal.Step) (err error) {
	if _, err := r.checkSource(); err != nil {
		return err
	}
	drop := make([]int64, len(dropped))
	for i := range dropped {
		drop[i] = dropped[i].Seq
	}
	within := pathset.New(&r.caps)
	for _, s := range scopes {
		within.Count(s.Path, 1)
	}
	problems := make(map[string]bool, len(p.scanned.problems)) // those fail again: how often is not forgotten
	for _, problem := range p.scanned.problems {
		problems[problem.Path] = true
	}
	looked := func(path string) bool { return within.Overlaps(path) && !problems[path] }
	p.takeMoves(kept)
	p.takeMoves(plan.Steps)
	err = r.begin(p, func(rec *journal.Record) (int64, error) {
		return r.cfg.Journal.Amend(plan, rec, drop, looked, r.cfg.Now())
	})
	if err != nil {
		return err
	}
	if len(plan.Steps) > 0 {
		p.After = plan.Steps[0].Seq - 1
	}
	p.Add(kept, nil)
	p.Add(plan.Steps, p.scanned.changes)
	p.scanned.changes = nil
	return nil
}
