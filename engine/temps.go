package engine

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/journal"
)

// staleTemps are the paths whose interrupted upload may have left a temporary name that no step of
// the new plan replaces.
func (e *Engine) staleTemps(steps []journal.Step) ([]string, error) {
	temps, err := e.cfg.Journal.Temps()
	if err != nil || len(temps) == 0 {
		return nil, err
	}
	replaced := make(map[string]bool)
	for i := range steps {
		if s := &steps[i]; s.Action == journal.Send && s.How == journal.Upload {
			replaced[s.Path] = true
		}
	}
	var stale []string
	for _, path := range temps {
		if !replaced[path] {
			stale = append(stale, path)
		}
	}
	return stale, nil
}

// cleanTemps removes them. A crash in the middle finds them in the journal again.
func (e *Engine) cleanTemps(ctx context.Context, stale []string) error {
	for i, path := range stale {
		if err := e.conn.Cleanup(ctx, path); err != nil {
			if endsRun(err) {
				return fmt.Errorf("clean up after an interrupted upload: %w", err)
			}
			e.cfg.Log.Warn("cannot remove the rest of an interrupted upload", "path", path, "err", err)
			continue
		}
		if err := e.cfg.Journal.ForgetTemps(stale[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}
