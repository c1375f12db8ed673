package engine

import (
	"context"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// wantEmptyDirs makes turning on --create-empty-src-dirs count for what is already known. Without it
// the base has directories that hold no files as identities only: they are forgotten once, and so
// planned as new. A crash in between does it again.
func (e *Engine) wantEmptyDirs(ctx context.Context, state *journal.State) error {
	if e.cfg.EmptyDirs == state.EmptyDirs {
		return nil
	}
	if e.cfg.EmptyDirs {
		if err := e.forgetEmptyDirs(ctx); err != nil {
			return err
		}
	}
	state.EmptyDirs = e.cfg.EmptyDirs
	return e.cfg.Journal.Update(func(s *journal.State) { s.EmptyDirs = e.cfg.EmptyDirs })
}

func (e *Engine) forgetEmptyDirs(ctx context.Context) error {
	empty := make(map[string]bool)
	holds := make(map[string]bool)
	err := e.cfg.Journal.Walk(ctx, func(path string, entry *snapshot.Entry) error {
		if entry.Kind == snapshot.Dir && !entry.Flags.Has(snapshot.Adopted) {
			empty[path] = true
		}
		dir, _ := snapshot.Split(path)
		holds[dir] = true
		return nil
	})
	if err != nil {
		return err
	}
	var fixes []journal.Refresh
	for path := range empty {
		if !holds[path] {
			fixes = append(fixes, journal.Refresh{Path: path})
		}
	}
	if len(fixes) == 0 {
		return nil
	}
	return e.cfg.Journal.Repair(fixes)
}
