package loop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/backoff"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// runner is what one Run of a Loop knows, in its one goroutine.
type runner struct {
	*Loop

	at      timers        // when what the clock decides is due
	failure error         // why nothing can be synced; nil: all is well
	pause   time.Duration // the last pause before the next probe; 0: all is well

	unflushed  time.Time     // since when there is something to flush, if there is
	restUntil  time.Time     // until then nothing is looked at unless a person asks: the last look took long
	retried    time.Time     // when paths that failed were last hinted at
	looked     time.Duration // what the last look at everything took
	started    bool          // everything was looked at once since the start
	cannotPlan bool          // while the remote is away, not even planning works
	unhinted   bool          // nobody hinted at what the next look at everything finds
	pulse      pulse         // of the remote's host, while the remote is away
}

func (r *runner) run(ctx context.Context) error {
	r.startWatching(ctx)
	defer r.stopWatching()
	defer r.endPulse()
	r.Sync()
	for {
		wait, err := r.turn(ctx)
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-r.kick:
		case <-timer.C:
		}
		timer.Stop()
		r.mu.Lock()
		r.sleepsTill = time.Time{}
		r.mu.Unlock()
	}
}

// turn does what is due and returns how long nothing will be.
func (r *runner) turn(ctx context.Context) (time.Duration, error) {
	r.mu.Lock()
	urgent, woken := r.urgent, r.woken
	r.urgent, r.woken = false, false
	r.mu.Unlock()
	now := r.now()

	if urgent {
		r.restUntil = time.Time{}
		if r.failure != nil {
			r.at[probe], r.pause = now, 0
		}
	}
	state, err := r.cfg.Engine.Journal.State()
	if err != nil {
		return 0, err
	}
	if state.Paused {
		r.enter(Paused, "a person paused it; 'snapsync resume' goes on", time.Time{})
		return time.Hour, nil // hints wait; Wake ends it
	}
	r.keepWatching(ctx, now)
	r.schedule(now, woken, state.NewSourceApproved)
	if err := r.flushIfDue(ctx, now); err != nil {
		return 0, err
	}
	r.mu.Lock()
	able := r.able()
	r.mu.Unlock()
	if now.Before(r.restUntil) || !able && now.Before(r.at[probe]) {
		return r.until(now), nil
	}
	if err := r.work(ctx, now); err != nil {
		return 0, err
	}
	return r.until(r.now()), nil
}

// schedule turns the clock into hints: periodic scans, paths that failed, what was approved.
func (r *runner) schedule(now time.Time, woken, newSource bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.due(scanAll, now) {
		r.unhinted = r.hints.Len() == 0 && r.failure == nil
		r.hints.All(now)
		r.at[scanAll] = time.Time{}
	}
	switch {
	case !woken || !r.started:
	case newSource:
		r.hints.All(now) // the next look uses the approval up, and what mounts hold is anywhere
	default:
		r.hints.Wake(now) // it is about what is pending
	}
	if !r.at.due(retry, now) {
		return
	}
	r.at[retry], r.retried = time.Time{}, now
	failures, err := r.cfg.Engine.Journal.Failures(engine.MaxPending)
	if err != nil {
		return // the cycle says so
	}
	for i := range failures {
		if !engine.RetryAt(&failures[i], now).After(now) {
			r.hints.Add(hint.Hint{Path: failures[i].Path}, now.Add(-r.cfg.Settle))
		}
	}
}

// work runs a cycle if one is due.
func (r *runner) work(ctx context.Context, now time.Time) error {
	probing := r.failure != nil && !now.Before(r.at[probe])
	r.mu.Lock()
	if probing {
		r.hints.Undefer()
	}
	if !probing && !r.able() {
		r.mu.Unlock() // everything is to be looked at since a moment ago: that waits for the remote
		return nil
	}
	taken, all := r.hints.Take(now)
	woken := r.hints.TakeWoken()
	f := focusOn(taken, now)
	r.mu.Unlock()
	switch {
	case all || !r.started && len(taken) > 0:
		f = engine.Focus{}
	case len(taken) == 0 && !woken && !probing:
		return nil
	}
	f.PlanOnly = r.failure != nil && !probing
	return r.cycle(ctx, f, taken, now)
}

// able reports whether a cycle makes sense now. Without a failure it does. While the remote is offline one does that only
// plans a part of the source, so that `status` tells the truth about what is pending; a look at everything waits for the remote.
// The caller holds mu.
func (r *runner) able() bool {
	return r.failure == nil || errors.Is(r.failure, remote.ErrOffline) && r.started && !r.cannotPlan && !r.hints.Everything()
}

// cycle runs the engine once and draws the conclusions.
func (r *runner) cycle(ctx context.Context, f engine.Focus, taken []*hint.Pending, now time.Time) error {
	whole := f.Scopes == nil
	r.mu.Lock()
	r.quiet = r.failure != nil
	r.mu.Unlock()
	after := interruptAfter
	if whole || !r.started {
		after = max(after, rest*r.looked)
	}
	out, err := r.engine.RunWithin(ctx, f, &interrupter{runner: r, after: after, begun: time.Now(), checked: time.Now()})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, engine.ErrPaused) {
		err = nil // the next turn says so
	}
	r.report(&out, err, taken, whole)
	if err := r.goOnAfter(err, f.PlanOnly); err != nil {
		return err
	}
	if !f.PlanOnly {
		r.feelPulse(ctx)
	}
	done := r.now()
	if out.Whole && out.Planned {
		r.started, r.looked = true, out.Looked
		if r.cfg.Interval > 0 {
			r.at[scanAll] = done.Add(backoff.Jitter(r.cfg.Interval))
		}
		if !whole {
			r.restUntil = now.Add((rest + 1) * out.Looked)
		}
	}
	if out.Unflushed {
		if r.at[flush].IsZero() {
			r.unflushed = done
		}
		r.at[flush] = done.Add(flushAfter) // a flush takes time: not while there is more to do
		if latest := r.unflushed.Add(flushAtLast); latest.Before(r.at[flush]) {
			r.at[flush] = latest
		}
	}
	return r.showState()
}

// report keeps what a cycle tells for Status, and requeues the hints that the cycle did not deal with.
func (r *runner) report(out *engine.Outcome, err error, taken []*hint.Pending, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !out.Planned {
		if whole {
			r.hints.All(r.now())
		}
		r.hints.Requeue(taken)
		r.hints.Wake(r.now())
	} else {
		r.hints.Requeue(hint.WithPaths(taken, out.Waiting))
		r.hints.Defer(hint.WithPaths(taken, out.Deferred))
	}
	if out.Yielded {
		r.hints.Wake(r.now())
	}
	s := &r.status
	s.Cycles++
	s.Last, s.LastAt = out.Summary, r.now()
	s.Err, s.ErrKind = "", ""
	if err != nil {
		s.Err, s.ErrKind = err.Error(), remote.Class(err)
	}
	if whole && r.unhinted && out.Planned && r.hints.Len() == 0 {
		s.Missed += out.Sent + out.Copied + out.Touched + out.Moved + out.Deleted
	}
	if whole {
		r.unhinted = false
	}
}

// focusOn returns what a run looks at for paths that were taken at now.
func focusOn(taken []*hint.Pending, now time.Time) engine.Focus {
	f := engine.Focus{Scopes: make([]snapshot.Scope, 0, len(taken))}
	for _, p := range taken {
		f.Scopes = append(f.Scopes, snapshot.Scope{Path: p.Path, Deep: p.Deep})
		if p.InGrace(now) {
			f.Grace = append(f.Grace, p.Path)
		}
	}
	return f
}

// goOnAfter decides how to go on after an error of a cycle. An error that it returns ends the Loop.
func (r *runner) goOnAfter(err error, planOnly bool) error {
	switch {
	case err == nil:
		if !planOnly {
			r.failure, r.pause, r.at[probe], r.cannotPlan = nil, 0, time.Time{}, false
		}
		return nil
	case errors.Is(err, journal.ErrDamaged), errors.Is(err, journal.ErrNewer):
		return err
	case planOnly:
		r.cannotPlan = true // until it is back: what was hinted is kept
		return nil
	}
	if errors.Is(err, remote.ErrOffline) || errors.Is(err, remote.ErrFatal) {
		if cerr := r.engine.Close(); cerr != nil {
			r.cfg.Engine.Log.Debug("close the remote", "err", cerr)
		}
	}
	if r.failure == nil {
		r.cfg.Engine.Log.Error("not synced", "err", err)
	}
	r.failure = err
	limit := r.cfg.ProbeMax
	if errors.Is(err, engine.ErrNewSource) || errors.Is(err, snapshot.ErrSourceGone) {
		limit = min(limit, sourceProbe)
		r.mu.Lock()
		r.hints.All(r.now()) // nobody saw what happened in it
		r.mu.Unlock()
	}
	if errors.Is(err, remote.ErrNewRemote) {
		limit = min(limit, sourceProbe)
	}
	r.pause = backoff.Pauses{First: r.cfg.ProbeMin, Max: limit}.Next(r.pause)
	r.at[probe] = r.now().Add(backoff.Jitter(r.pause))
	return nil
}

// showState enters the state that the cycle leaves.
func (r *runner) showState() error {
	counts, err := r.cfg.Engine.Journal.Counts()
	if err != nil {
		return err
	}
	state, err := r.cfg.Engine.Journal.State()
	if err != nil {
		return err
	}
	if soon := r.now().Add(mountScan); state.MountsHeld > 0 && r.at[scanAll].After(soon) {
		r.at[scanAll] = soon // only a look at everything finds that all is in order again
	}
	if counts.Failed > 0 && r.failure == nil {
		if err := r.nextRetry(); err != nil {
			return err
		}
	}
	switch {
	case r.failure != nil:
		state, why := r.whyAway()
		r.enter(state, why, r.at[probe])
	case counts.Held > 0:
		r.enter(Held, "a guard holds deletes; everything else goes on; 'snapsync approve' shows them and lets them through", time.Time{})
	case state.MountsHeld > 0:
		r.enter(Held, fmt.Sprintf("nothing beneath is deleted: %s; it goes on when that is mounted again, or after 'snapsync approve --new-source'", state.MountsWhy), r.at[scanAll])
	case counts.Failed > 0:
		r.enter(Idle, fmt.Sprintf("failed paths: %d; they are tried again later, when they change, or by 'snapsync retry'", counts.Failed), r.at[retry])
	default:
		r.enter(Idle, "everything that was seen is on the remote", r.at[scanAll])
	}
	return nil
}

// whyAway returns the state for what keeps the Loop from working, and what would change it.
func (r *runner) whyAway() (State, string) {
	err := r.failure
	state := StateAfter(remote.Class(err))
	switch {
	case errors.Is(err, remote.ErrNewRemote):
		return state, "what the remote was in is not there: a disk that is not mounted, or a directory or bucket that is gone; what changes is kept, and it goes on when that is back, or after 'snapsync approve --new-remote'"
	case errors.Is(err, remote.ErrOffline):
		return state, "the remote cannot be reached; what changes is kept, and it is tried again"
	case errors.Is(err, remote.ErrTemporary):
		return state, "the remote answers, but not usefully; what changes is kept, and it is tried again"
	case errors.Is(err, engine.ErrNewSource):
		return state, "the source is not the directory that was snapshotted; it goes on when that is back, or after 'snapsync approve --new-source'"
	case errors.Is(err, snapshot.ErrSourceGone):
		return state, "the source cannot be read; it goes on when it is back"
	case errors.Is(err, journal.ErrFull):
		return Held, "the disk of the state directory is full; it goes on when there is room"
	}
	return state, "the last attempt failed; it is tried again, and at once by 'snapsync sync'"
}

// nextRetry plans the next attempt at what failed.
func (r *runner) nextRetry() error {
	failures, err := r.cfg.Engine.Journal.Failures(engine.MaxPending)
	if err != nil {
		return err
	}
	r.at[retry] = time.Time{}
	now := r.now()
	for i := range failures {
		at := engine.RetryAt(&failures[i], now)
		if !at.After(r.retried) { // it was looked at, and is held or waits for another
			at = r.retried.Add(engine.FirstRetry)
		}
		if r.at[retry].IsZero() || at.Before(r.at[retry]) {
			r.at[retry] = at
		}
	}
	return nil
}

// until returns how long it is from now to the next thing that is due, and lets Hint know.
func (r *runner) until(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.hints.Next()
	if !r.able() {
		at = time.Time{}
	}
	for _, t := range r.at {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if at.Before(r.restUntil) {
		at = r.restUntil
	}
	if at.IsZero() {
		at = now.Add(time.Hour)
	}
	r.sleepsTill = at
	return max(at.Sub(now), 0)
}

func (r *runner) flushIfDue(ctx context.Context, now time.Time) error {
	if !r.at.due(flush, now) {
		return nil
	}
	r.at[flush] = time.Time{}
	if err := r.engine.Flush(ctx); err != nil {
		if errors.Is(err, journal.ErrDamaged) {
			return err
		}
		r.cfg.Engine.Log.Warn("cannot flush the remote", "err", err)
		r.at[flush] = now.Add(backoff.Jitter(r.cfg.ProbeMax))
	}
	return nil
}

// startWatching begins to watch. If that fails the periodic scan has to do until it is tried again.
func (r *runner) startWatching(ctx context.Context) {
	r.at[watchAgain] = time.Time{}
	if r.cfg.Watch == nil {
		return
	}
	w, err := r.cfg.Watch(ctx, r.Hint)
	if err != nil {
		r.cfg.Engine.Log.Warn("cannot watch the source", "err", err)
		r.at[watchAgain] = r.now().Add(backoff.Jitter(r.cfg.ProbeMax))
		return
	}
	r.mu.Lock()
	r.watch = w
	r.mu.Unlock()
}

// keepWatching tries again to watch, and then has everything looked at: nobody saw what happened meanwhile.
func (r *runner) keepWatching(ctx context.Context, now time.Time) {
	if !r.at.due(watchAgain, now) {
		return
	}
	r.startWatching(ctx)
	if r.at[watchAgain].IsZero() {
		r.mu.Lock()
		r.hints.All(now)
		r.mu.Unlock()
	}
}

func (r *runner) stopWatching() {
	r.mu.Lock()
	w := r.watch
	r.watch = nil
	r.mu.Unlock()
	if w == nil {
		return
	}
	if err := w.Close(); err != nil {
		r.cfg.Engine.Log.Debug("close the watcher", "err", err)
	}
}
