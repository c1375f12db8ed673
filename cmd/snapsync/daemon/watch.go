package daemon

import (
	"context"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/watch"
)

// watcher turns file-system events into hints for the loop. What is excluded is not watched.
func (u *supervisor) watcher(c *engine.Config) func(context.Context, func(hint.Hint)) (loop.Watch, error) {
	cfg := watch.Config{Root: c.Scan.Root, OneFileSystem: c.Scan.OneFileSystem, PollInterval: u.spec.PollInterval, Log: c.Log}
	if filter := c.Scan.Filter; filter != nil {
		cfg.Skip = func(dir string) bool { return !filter.Dir(dir) }
	}
	return func(ctx context.Context, add func(hint.Hint)) (loop.Watch, error) {
		return watch.Open(ctx, cfg, func(h hint.Hint) {
			if !u.d.Own.Has(cfg.Root, h.Path) { // each line that is said would be an event
				add(h)
			}
		})
	}
}
