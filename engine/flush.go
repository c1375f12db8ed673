package engine

import (
	"context"

	"github.com/snapsync/snapsync/journal"
)

// A local disk acknowledges a file long before it would survive a power cut, and to flush each one
// would cost more than to write it. So what was executed is flushed once, at the end, and until then
// the journal says in which boot of the machine it happened. A run that finds another boot there
// believes the disk rather than the base, with one listing.

// recordUnflushed marks the time in which acknowledged steps may still be undone. It is durable before
// the first of them.
func (e *Engine) recordUnflushed(state *journal.State, volatile bool) error {
	if !volatile || e.cfg.Boot == "" || state.Unflushed == e.cfg.Boot {
		return nil
	}
	state.Unflushed = e.cfg.Boot
	return e.cfg.Journal.Update(func(s *journal.State) { s.Unflushed = e.cfg.Boot })
}

// Flush makes what was executed survive a power cut of this machine, if some of it does not yet.
func (e *Engine) Flush(ctx context.Context) error {
	state, err := e.cfg.Journal.State()
	if err != nil || e.conn == nil {
		return err
	}
	return e.flush(ctx, &state)
}

// flush ends that time.
func (e *Engine) flush(ctx context.Context, state *journal.State) error {
	if state.Unflushed == "" || ctx.Err() != nil {
		return nil // the next run flushes
	}
	if err := e.conn.Flush(ctx); err != nil {
		return err
	}
	state.Unflushed = ""
	return e.cfg.Journal.Update(func(s *journal.State) { s.Unflushed = "" })
}

// recheck compares the remote with the base if the machine went down before a flush, and corrects
// the base. Files that were cut off differ in size, and are sent again.
func (e *Engine) recheck(ctx context.Context, state *journal.State) error {
	if state.Unflushed == "" || state.Unflushed == e.cfg.Boot || e.cfg.Boot == "" {
		return nil
	}
	e.cfg.Log.Warn("the machine went down before everything was on the disk: comparing the remote with what it should hold")
	report, err := e.Verify(ctx, VerifyOptions{Repair: true, refuseEmpty: !state.NewRemoteApproved})
	if err != nil {
		return err
	}
	e.cfg.Log.Info("compared", "files", report.Checked, "corrected", report.Repaired)
	return e.flush(ctx, state)
}
