package engine

import (
	"context"
	"fmt"
)

// cleanTemps removes what interrupted uploads may have left under temporary names, but for the names
// that an upload of this plan replaces. A crash in the middle finds the rest in the journal again.
func (r *run) cleanTemps(ctx context.Context) error {
	stale, err := r.cfg.Journal.StaleTemps()
	if err != nil {
		return err
	}
	for i, path := range stale {
		if err := r.conn.Cleanup(ctx, path); err != nil {
			if endsRun(err) {
				return fmt.Errorf("clean up after an interrupted upload: %w", err)
			}
			r.cfg.Log.Warn("cannot remove the rest of an interrupted upload", "path", path, "err", err)
			continue
		}
		if err := r.cfg.Journal.ForgetTemps(stale[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}
