package loop

import (
	"slices"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Retry has all paths that failed tried again now.
func (l *Loop) Retry() error { return l.RetryPaths([]string{""}) }

// RetryPaths is Retry for the failed paths that are at one of paths or beneath one; "" is the root. What did not fail is left
// alone.
func (l *Loop) RetryPaths(paths []string) error {
	failures, err := l.cfg.Engine.Journal.Failures(engine.MaxPending)
	if err != nil {
		return err
	}
	failures = FailedAt(failures, paths)
	l.mu.Lock()
	now := l.now()
	for i := range failures {
		l.hints.Add(hint.Hint{Path: failures[i].Path}, now.Add(-l.cfg.Settle))
	}
	l.urgent = true
	l.mu.Unlock()
	l.wakeUp()
	return nil
}

// FailedAt returns those of failures that are at one of paths or beneath one.
func FailedAt(failures []journal.FailureRow, paths []string) []journal.FailureRow {
	var kept []journal.FailureRow
	for i := range failures {
		meant := func(path string) bool {
			return failures[i].Path == path || snapshot.Beneath(failures[i].Path, path)
		}
		if slices.ContainsFunc(paths, meant) {
			kept = append(kept, failures[i])
		}
	}
	return kept
}
