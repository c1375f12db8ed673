package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/plan"
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

// catchUp runs cycles until another one has nothing to gain.
func (r *run) catchUp(ctx context.Context, f Focus, out *Outcome) error {
	if _, err := r.checkSource(); err != nil {
		return err
	}
	if !r.state.Adopted {
		if err := r.adopt(ctx); err != nil {
			return err
		}
	}
	if err := r.recheck(ctx); err != nil {
		return err
	}
	if r.cfg.EmptyDirs && !r.state.EmptyDirs && r.caps != (remote.Caps{}) && !r.caps.EmptyDirs {
		r.cfg.Log.Warn("this remote cannot hold empty directories: --create-empty-src-dirs does nothing there")
	}
	if err := r.wantEmptyDirs(ctx); err != nil {
		return err
	}
	for round := 1; ; round++ {
		again, err := r.round(ctx, f, out, round == maxRounds)
		stale := errors.Is(err, errStale)
		if err != nil && !stale || err == nil && !again || round == maxRounds {
			return err
		}
		if f.Scopes != nil && !stale {
			f.Scopes, f.Grace = []snapshot.Scope{}, nil // the rest is pending
		}
		r.cfg.Log.Debug("planning again", "round", round+1)
	}
}

// round is one cycle. It reports whether another one, right now, has something to gain; of the last it is not asked.
func (r *run) round(ctx context.Context, f Focus, out *Outcome, last bool) (again bool, err error) {
	if !f.PlanOnly {
		if err := r.recover(ctx); err != nil {
			return false, err
		}
	}
	if r.source, err = r.checkSource(); err != nil {
		return false, err
	}
	begun := r.cfg.Now()
	p, err := r.prepare(ctx, f, out)
	out.Looked = r.cfg.Now().Sub(begun)
	if err != nil {
		return false, err
	}
	out.Planned = true
	sum := &out.Summary
	if err := r.show(&p, sum); err != nil {
		return false, err
	}
	if f.PlanOnly {
		r.state.LastRun = r.begun
		return false, r.cfg.Journal.Finish(p.cycle, journal.CycleResult{Failed: sum.Failed, Held: sum.Held, Outcome: "planned"}, r.record(), r.cfg.Now())
	}
	if p.cycle == 0 || p.idle {
		return false, r.finish(p.cycle, sum, nil, true)
	}
	again, err = r.execute(ctx, &p, sum)
	return again, r.finish(p.cycle, sum, err, last || !again || err != nil)
}

// show makes what was seen while planning visible.
func (r *run) show(p *planned, sum *Summary) error {
	sum.begin(p.scanned, p.hold, r.cfg.CompleteSync)
	sum.backedOff = int64(len(p.BackedOff))
	return r.recordProblems(p.scanned.problems)
}

// prepare scans, plans, guards and makes the plan durable, see begin.
func (r *run) prepare(ctx context.Context, f Focus, out *Outcome) (planned, error) {
	if f.Scopes != nil {
		return r.prepareWithin(ctx, f, out)
	}
	out.Whole = true
	totals, err := r.cfg.Journal.Totals()
	if err != nil {
		return planned{}, err
	}
	// With an empty base everything is new: nothing can have moved, nothing is deleted, and each change is planned by itself.
	// Directories that are cargo need their neighbours.
	if totals == (journal.Totals{}) && !r.cfg.EmptyDirs {
		return r.fill(ctx)
	}
	return r.prepareWhole(ctx)
}

// prepareWhole is prepare for the whole source.
func (r *run) prepareWhole(ctx context.Context) (p planned, err error) {
	if p.scanned, err = r.scan(ctx, nil, r.cfg.Journal); err != nil {
		return p, err
	}
	plan, err := r.plan(p.scanned)
	if err != nil {
		return p, err
	}
	if p.hold, err = r.guard(plan.Steps, p.scanned.head); err != nil {
		return p, err
	}
	if len(plan.Steps) > 0 || r.isElsewhere() {
		if err := r.reach(ctx, &p); err != nil {
			return p, err
		}
	}
	if len(plan.Steps) == 0 && p.unreached != nil {
		return p, p.unreached
	}
	if _, err := r.checkSource(); err != nil { // once more: it may have gone while it was scanned
		return p, err
	}
	p.takeMoves(plan.Steps)
	err = r.begin(&p, func(rec *journal.Record) (int64, error) { return r.cfg.Journal.Begin(plan, rec, r.cfg.Now()) })
	if err != nil {
		return p, err
	}
	p.Add(plan.Steps, p.scanned.changes)
	p.scanned.changes = nil
	return p, nil
}

// fill is prepare for an empty base. The source is scanned, planned and journalled in pieces, so
// that the memory of a first run does not grow with the tree.
func (r *run) fill(ctx context.Context) (p planned, err error) {
	if err := r.learnCaps(ctx); err != nil {
		return p, err
	}
	if r.caps.Folds() { // a path may have its twin in any other piece
		return r.prepareWhole(ctx)
	}
	j := r.cfg.Journal
	if _, err := j.Begin(journal.Plan{}, nil, r.cfg.Now()); err != nil {
		return p, err
	}
	var last journal.Plan // is kept for the end: what was mounted inside the source is known then
	scan := r.scanConfig()
	scan.Emit = func(changes []snapshot.Change) error {
		if !p.reached && p.unreached == nil {
			if err := r.reach(ctx, &p); err != nil {
				return err
			}
		}
		if len(last.Steps)+len(last.Refresh) > 0 {
			if _, err := j.Extend(last, nil, r.cfg.Now()); err != nil {
				return err
			}
			p.Add(last.Steps, nil)
		}
		// They do not depend on any others.
		last = plan.Make(plan.Input{Changes: changes, Caps: r.caps, CompleteSync: r.cfg.CompleteSync, Metadata: r.cfg.Metadata})
		return nil
	}
	r.phase("scanning")
	head, err := snapshot.Scan(ctx, scan, snapshot.Empty{})
	if err != nil {
		return p, fmt.Errorf("scan %s: %w", scan.Root, err)
	}
	p.scanned = &scanned{head: head, problems: head.Problems}
	err = r.begin(&p, func(rec *journal.Record) (int64, error) { return j.Extend(last, rec, r.cfg.Now()) })
	p.Add(last.Steps, nil)
	return p, err
}

// errStale means that a plan was thrown away: it was made for a remote that turned out to be another one.
var errStale = fmt.Errorf("%w: what it can do, or where it is, changed while the plan was made", remote.ErrTemporary)

// reach opens the remote for a plan that is about to be journalled. It fails only with errStale, if the plan was made for an
// older configuration of the remote, say, or for a base that is not what the remote holds where it is now. What else is wrong is
// kept in p.unreached, for when the plan is in the journal: an offline run leaves it there.
func (r *run) reach(ctx context.Context, p *planned) error {
	before := r.caps
	if p.unreached = r.connect(ctx); p.unreached != nil {
		return nil
	}
	if p.unreached = r.askNames(ctx); p.unreached != nil {
		return nil
	}
	if p.unreached = r.keepCaps(); p.unreached != nil {
		return nil
	}
	if p.unreached = r.distrustNames(ctx, before); p.unreached != nil {
		return nil
	}
	if r.caps != before {
		return errStale
	}
	if r.relocated {
		if p.unreached = r.compareMoved(ctx); p.unreached != nil {
			return nil
		}
		return errStale
	}
	p.reached = true
	return nil
}

// guard decides about the deletes of a plan.
func (r *run) guard(steps []journal.Step, seen *snapshot.Head) (*guard.Hold, error) {
	totals, err := r.cfg.Journal.Totals()
	if err != nil {
		return nil, err
	}
	verdict, err := guard.Check(guard.Input{
		Steps: steps, Covered: seen.Covered, Base: totals, MaxDelete: r.cfg.MaxDelete, Burst: r.burst, Now: r.cfg.Now(),
		Pending: r.cfg.Journal.EachPending(0), HeldDigest: r.state.HeldDigest, HeldBase: r.state.HeldBase,
		ApprovedDigest: r.decided.ApprovedDigest, Approve: r.cfg.Approve, ApproveDigest: r.approved,
	})
	if err != nil {
		return nil, err
	}
	r.burst, r.approved = verdict.Burst, verdict.ApproveDigest
	return verdict.Hold, nil
}

// begin starts the account of one round: what an earlier round of the same run did stays, what it
// could not do is counted anew.
func (s *Summary) begin(seen *scanned, hold *guard.Hold, mirror bool) {
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

// finish closes the cycle in the journal and returns the error of its execution, if any. In the same transaction are what the
// execution found out and, of the last cycle, how the run ended. A crash before leaves steps that were claimed, and a remote
// that may have to be flushed again: the next run looks at the remote, and closes the cycle as interrupted.
func (r *run) finish(cycle int64, sum *Summary, err error, last bool) error {
	became := cmp.Or(remote.Class(err), "idle")
	if err == nil && r.yielded {
		became = journal.OutcomeContinued // another cycle goes on with it
	}
	if last {
		r.takeOutcome(sum, err)
	}
	r.state.Burst = r.burst.Burst
	rec := r.record()
	rec.Settle = r.settled
	failed := r.cfg.Journal.Finish(cycle, journal.CycleResult{
		Sent: sum.Sent, Copied: sum.Copied, Touched: sum.Touched, Moved: sum.Moved, Deleted: sum.Deleted,
		UploadBytes: sum.UploadBytes, Failed: sum.Failed + sum.backedOff, Held: sum.Held, Outcome: became,
	}, rec, r.cfg.Now())
	if failed != nil {
		return errors.Join(err, failed)
	}
	r.used, r.settled, r.concluded = journal.Decisions{}, false, last
	return err
}

// conclude has the journal remember how the run ended, if no cycle has told it.
func (r *run) conclude(sum *Summary, err error) error {
	if r.concluded || errors.Is(err, journal.ErrDamaged) || errors.Is(err, journal.ErrFull) { // there is nowhere to write it
		return nil
	}
	r.takeOutcome(sum, err)
	return r.save()
}

// takeOutcome takes in how the run ended: for status, and for nobody's decisions.
func (r *run) takeOutcome(sum *Summary, err error) {
	s := &r.state
	s.LastRun, s.Ended = r.begun, r.cfg.Now()
	s.LastError, s.LastErrorClass = "", ""
	switch {
	case err != nil:
		s.LastError, s.LastErrorClass = err.Error(), remote.Class(err)
	case sum.Failed+sum.backedOff == 0 && !r.yielded:
		s.LastSuccess = r.begun // what the remote holds is as of the scan, not as of now
	}
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
