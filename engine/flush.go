package engine

import (
	"context"
	"errors"
)

// A local disk acknowledges a file long before it would survive a power cut, and to flush each one
// would cost more than to write it. So what was executed is flushed once, at the end, and until then
// the journal says in which boot of the machine it happened. A run that finds another boot there
// believes the disk rather than the base, with one listing.

// Flush makes what was executed survive a power cut of this machine, if some of it does not yet.
func (e *Engine) Flush(ctx context.Context) error {
	r, err := e.newRun()
	if err != nil || e.conn == nil {
		return err
	}
	return errors.Join(r.flush(ctx), r.save())
}

// flush has the remote flushed, and then the journal is not to name the boot any more. A crash between the two flushes again.
func (l *link) flush(ctx context.Context) error {
	if l.state.Unflushed == "" || ctx.Err() != nil {
		return nil // the next run flushes
	}
	if err := l.conn.Flush(ctx); err != nil {
		return err
	}
	l.state.Unflushed = ""
	return nil
}

// recheck compares the remote with the base if the machine went down before a flush, and corrects
// the base. Files that were cut off differ in size, and are sent again.
func (l *link) recheck(ctx context.Context) error {
	if l.state.Unflushed == "" || l.state.Unflushed == l.cfg.Boot || l.cfg.Boot == "" {
		return nil
	}
	l.cfg.Log.Warn("the machine went down before everything was on the disk: comparing the remote with what it should hold")
	report, err := l.verify(ctx, VerifyOptions{Repair: true, refuseEmpty: !l.decided.NewRemoteApproved})
	if err != nil {
		return err
	}
	l.cfg.Log.Info("compared", "files", report.Checked, "corrected", report.Repaired)
	return errors.Join(l.flush(ctx), l.save())
}
