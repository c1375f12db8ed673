package execute

import (
	"context"
	"fmt"
)

// cleanTemps removes what interrupted uploads may have left under temporary names, but for the names
// that an upload of this plan replaces. A crash in the middle finds the rest in the journal again.
func (x *execution) cleanTemps(ctx context.Context) error {
	stale, err := x.Journal.StaleTemps()
	if err != nil {
		return err
	}
	for i, path := range stale {
		if err := x.Conn.Cleanup(ctx, path); err != nil {
			if EndsRun(err) {
				return fmt.Errorf("clean up after an interrupted upload: %w", err)
			}
			x.Log.Warn("cannot remove the rest of an interrupted upload", "path", path, "err", err)
			continue
		}
		if err := x.Journal.ForgetTemps(stale[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}
