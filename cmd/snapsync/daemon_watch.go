package main

import (
	"context"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/watch"
)

// watcher turns file-system events into hints for the loop. What is excluded is not watched.
func (u *upkeep) watcher(c *engine.Config) func(context.Context, func(engine.Hint)) (engine.Watch, error) {
	cfg := watch.Config{Root: c.Scan.Root, OneFileSystem: c.Scan.OneFileSystem, PollInterval: u.spec.PollInterval, Log: c.Log}
	if filter := c.Scan.Filter; filter != nil {
		cfg.Skip = func(dir string) bool { return !filter.Dir(dir) }
	}
	return func(ctx context.Context, hint func(engine.Hint)) (engine.Watch, error) {
		w, err := watch.Open(ctx, cfg, func(h watch.Hint) { hint(engine.Hint(h)) })
		if err != nil {
			return nil, err
		}
		return watching{w}, nil
	}
}

// watching is a watch.Watcher as the engine sees it.
type watching struct{ *watch.Watcher }

// Health implements engine.Watch.
func (w watching) Health() engine.WatchHealth {
	h := w.Watcher.Health()
	return engine.WatchHealth{
		Watched: h.Watched, Polled: h.Polled, Overflows: h.Overflows, Proved: h.Proved, Problems: h.Problems,
	}
}
