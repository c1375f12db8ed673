package engine

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/inspect"
	"github.com/snapsync/snapsync/engine/remote"
)

// Explain says what is known about one path, and why it was or was not sent: see package inspect.
func (e *Engine) Explain(ctx context.Context, path string) (*inspect.Explanation, error) {
	return inspect.Explain(ctx, e.inspected(), path)
}

// inspected is this mapping, as package inspect needs to know it.
func (e *Engine) inspected() inspect.Config {
	return inspect.Config{Journal: e.cfg.Journal, Scan: e.cfg.Scan, CompleteSync: e.cfg.CompleteSync, Metadata: e.cfg.Metadata}
}

// VerifyOptions say how hard to look and what to do about it.
type VerifyOptions struct {
	Repair   bool // make the base tell the truth, so that the next Run repairs the remote
	Checksum bool // where the remote gives a hash, read the local files to compare it
	// refuseEmpty fails rather than believe that the remote has lost everything.
	refuseEmpty bool
	// unasked: no person has seen what is extra on the remote, and asked for a repair: to delete that waits for approval.
	unasked bool
}

// Verify lists the remote once and compares it with the base. It changes nothing on the remote.
func (e *Engine) Verify(ctx context.Context, opt VerifyOptions) (*inspect.Report, error) {
	r, err := e.newRun()
	if err != nil {
		return nil, err
	}
	return r.verify(ctx, opt)
}

func (l *link) verify(ctx context.Context, opt VerifyOptions) (*inspect.Report, error) {
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	if opt.Repair { // what is in doubt would be corrected twice, and differently
		if err := l.recover(ctx); err != nil {
			return nil, err
		}
	}
	cfg := l.inspected()
	cfg.Conn, cfg.Caps, cfg.Phase = l.conn, l.caps, l.phase
	report, err := inspect.Compare(ctx, cfg, opt.Checksum)
	if err != nil || !opt.Repair {
		return report, err
	}
	if !report.Clean() {
		if (opt.refuseEmpty || l.otherDisk) && report.Listed == 0 {
			return report, fmt.Errorf("%w: %w: it holds nothing, and should hold %d files: is its disk mounted?", remote.ErrOffline, remote.ErrNewRemote, report.Checked)
		}
		if err := report.Repair(l.cfg.Journal, opt.unasked); err != nil {
			return report, err
		}
	}
	if err := l.takePlace(); err != nil {
		return report, err
	}
	return report, l.save()
}
