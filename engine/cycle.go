package engine

import (
	"context"
	"errors"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// maxRounds bounds how often one Run plans again because the world moved under it: files that
// changed or vanished while they were sent, moves that the remote refused, base entries that the
// remote turned out to have lost.
const maxRounds = 4

// Run catches up once: it returns when the remote is true to the source, or when what is left
// cannot be done now. A Summary with Failed or Held above zero and a nil error means that the rest
// was done. remote.ErrOffline and remote.ErrFatal end a run early, with everything pending kept in the journal.
func (e *Engine) Run(ctx context.Context) (Summary, error) {
	out, err := e.RunWithin(ctx, Focus{}, nil)
	return out.Summary, err
}

func (e *Engine) run(ctx context.Context, f Focus, out *Outcome) error {
	state, err := e.cfg.Journal.State()
	if err != nil {
		return err
	}
	if _, err := e.checkSource(&state); err != nil {
		return err
	}
	e.approved, e.yielded = "", false
	e.refused.move, e.refused.dirMove, e.refused.copy, e.refused.metadata = false, false, false, false
	if !state.Adopted {
		if err := e.adopt(ctx); err != nil {
			return err
		}
	}
	if err := e.recheck(ctx, &state); err != nil {
		return err
	}
	if err := e.wantEmptyDirs(ctx, &state); err != nil {
		return err
	}
	for round := 1; ; round++ {
		again, err := e.round(ctx, &state, f, out)
		if err != nil || !again || round == maxRounds {
			return err
		}
		if f.Scopes != nil {
			f.Scopes, f.Grace = []snapshot.Scope{}, nil // the rest is pending
		}
		e.cfg.Log.Debug("planning again", "round", round+1)
	}
}

// round is one cycle. It reports whether another one, right now, has something to gain.
func (e *Engine) round(ctx context.Context, state *journal.State, f Focus, out *Outcome) (again bool, err error) {
	if !f.PlanOnly {
		if err := e.recover(ctx); err != nil {
			return false, err
		}
	}
	id, err := e.checkSource(state)
	if err != nil {
		return false, err
	}
	begun := e.cfg.Now()
	p, err := e.prepare(ctx, state, f, out)
	out.Looked = e.cfg.Now().Sub(begun)
	if err != nil {
		return false, err
	}
	out.Planned = true
	sum := &out.Summary
	if err := e.recordPlan(state, id, &p, sum); err != nil {
		return false, err
	}
	if f.PlanOnly {
		return false, e.cfg.Journal.Finish(p.cycle, journal.CycleResult{Failed: sum.Failed, Held: sum.Held, Outcome: "planned"}, e.cfg.Now())
	}
	if p.cycle == 0 || p.idle {
		return false, e.finish(p.cycle, sum, nil)
	}
	again, err = e.execute(ctx, state, &p, sum)
	return again, e.finish(p.cycle, sum, err)
}

// recordPlan makes what was seen while planning visible.
func (e *Engine) recordPlan(state *journal.State, id snapshot.Identity, p *prepared, sum *Summary) error {
	sum.begin(p.seen, p.hold, e.cfg.CompleteSync)
	sum.backedOff = int64(len(p.todo.backedOff))
	if err := e.recordSource(state, id, p.seen.head, p.hold, p.todo.carries); err != nil {
		return err
	}
	if err := e.recordMounts(state, p.seen); err != nil {
		return err
	}
	return e.recordProblems(p.seen.problems)
}

// prepared is a plan that the journal has.
type prepared struct {
	seen  *scanned // without its changes, which may be many
	todo  agenda
	hold  *Hold // nil: nothing is held
	cycle int64 // 0: nothing is pending
	idle  bool  // what is pending has to wait
	// before is the number that the steps come after that were planned now; those up to it were kept.
	before int64
}

// prepare looks, plans, guards and makes the plan durable. A crash right after leaves steps that
// nobody started: the next run plans anew.
func (e *Engine) prepare(ctx context.Context, state *journal.State, f Focus, out *Outcome) (prepared, error) {
	if f.Scopes != nil {
		return e.prepareWithin(ctx, state, f, out)
	}
	out.Whole = true
	fill, err := e.canFill()
	switch {
	case err != nil:
		return prepared{}, err
	case fill:
		return e.fill(ctx, state)
	}
	return e.prepareWhole(ctx, state)
}

// prepareWhole is prepare for the whole source.
func (e *Engine) prepareWhole(ctx context.Context, state *journal.State) (p prepared, err error) {
	if p.seen, err = e.scan(ctx, state); err != nil {
		return p, err
	}
	plan, err := e.plan(p.seen)
	if err != nil {
		return p, err
	}
	if p.hold, err = e.guard(plan.Steps, state); err != nil {
		return p, err
	}
	if _, err := e.checkSource(state); err != nil { // once more: it may have gone while it was scanned
		return p, err
	}
	if p.cycle, err = e.cfg.Journal.Begin(plan, e.cfg.Now()); err != nil {
		return p, err
	}
	e.rescan = nil
	p.todo.add(plan.Steps, p.seen.changes)
	p.seen.changes = nil
	return p, nil
}

// execute performs what is pending: p, and what takes its place meanwhile.
func (e *Engine) execute(ctx context.Context, state *journal.State, p *prepared, sum *Summary) (again bool, err error) {
	planned := e.caps
	if err := e.connect(ctx); err != nil {
		return false, err
	}
	if differ, err := e.recordCaps(state, planned); err != nil || differ {
		return differ, err
	}
	if e.relocated {
		return true, e.compareMoved(ctx)
	}
	if err := e.recordUnflushed(state, e.caps.Volatile); err != nil {
		return false, err
	}
	x := newExecution(e, state, p, sum)
	err = errors.Join(x.run(ctx), e.recordPlaces())
	if e.cfg.Staying {
		e.burst.add(x.deleted, e.cfg.Now())
		return x.again && !e.yielded, err // the Loop flushes when it is idle
	}
	return x.again, errors.Join(err, e.flush(ctx, state))
}

// begin starts the account of one round: what an earlier round of the same run did stays, what it
// could not do is counted anew.
func (s *Summary) begin(seen *scanned, hold *Hold, mirror bool) {
	s.Scan, s.Unproven = seen.head.Stats, seen.head.Unproven
	s.Failed, s.Failures, s.Held, s.Hold = 0, nil, 0, hold
	for _, p := range seen.problems {
		s.fail(p.Path, p.Err)
	}
	if hold != nil {
		s.Held = hold.Deletes
	}
	if !mirror {
		return
	}
	if kept := s.HeldByMounts(); kept != nil {
		s.Held += kept.Deletes // what is merely skipped or unreadable is said, and nobody can approve it
	}
}

// finish closes the cycle in the journal and returns the error of its execution, if any. A cycle that
// was begun and not finished is closed as interrupted by the next one.
func (e *Engine) finish(cycle int64, sum *Summary, err error) error {
	return errors.Join(err, e.cfg.Journal.Finish(cycle, journal.CycleResult{
		Sent: sum.Sent, Copied: sum.Copied, Touched: sum.Touched, Moved: sum.Moved, Deleted: sum.Deleted,
		UploadBytes: sum.UploadBytes, Failed: sum.Failed + sum.backedOff, Held: sum.Held, Outcome: e.outcome(err),
	}, e.cfg.Now()))
}

// outcome is that of a cycle, which another one may go on with.
func (e *Engine) outcome(err error) string {
	if err == nil && e.yielded {
		return journal.OutcomeContinued
	}
	return outcome(err)
}

// recordOutcome records how the run ended: for status, and for nobody's decisions.
func (e *Engine) recordOutcome(begun time.Time, sum *Summary, err error) error {
	if errors.Is(err, journal.ErrDamaged) || errors.Is(err, journal.ErrFull) {
		return nil // there is nowhere to write it
	}
	return e.cfg.Journal.Update(func(s *journal.State) {
		s.LastRun = begun
		s.Phase, s.PhaseSince = outcome(err), e.cfg.Now()
		s.LastError, s.LastErrorClass = "", ""
		switch {
		case err != nil:
			s.LastError, s.LastErrorClass = err.Error(), outcome(err)
		case sum.Failed+sum.backedOff == 0 && !e.yielded:
			s.LastSuccess = begun // what the remote holds is as of the scan, not as of now
		}
	})
}

// outcome is the word that status and history use for how a run ended.
func outcome(err error) string {
	switch {
	case err == nil:
		return "idle"
	case errors.Is(err, remote.ErrOffline):
		return "offline"
	case errors.Is(err, context.Canceled), errors.Is(err, ErrPaused):
		return "interrupted"
	case errors.Is(err, ErrNewSource), errors.Is(err, snapshot.ErrSourceGone):
		return "source"
	}
	return "error"
}

// recordProblems makes what could not be looked at visible in status, like any failed path.
func (e *Engine) recordProblems(problems []snapshot.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	rows := make([]journal.Failure, 0, min(len(problems), MaxFailures))
	for _, p := range problems[:min(len(problems), MaxFailures)] {
		what, kind := "cannot read", "source"
		if errors.Is(p.Err, remote.ErrInvalidName) {
			what, kind = "cannot send", remote.Class(p.Err)
		}
		e.cfg.Log.Error(what, "path", p.Path, "err", p.Err)
		rows = append(rows, journal.Failure{Path: p.Path, Class: kind, Message: p.Err.Error(), At: e.cfg.Now()})
	}
	return e.cfg.Journal.Fail(rows)
}
