package daemon

import (
	"context"

	"github.com/snapsync/snapsync/cmd/snapsync/settings"
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
		young := newYoung(add)
		settings.TellYoung(c.Scan.Filter, young.seen)
		w, err := watch.Open(ctx, cfg, func(h hint.Hint) {
			if !u.d.Own.Has(cfg.Root, h.Path) { // each line that is said would be an event
				add(h)
			}
		})
		if err != nil {
			return nil, err // what is young is hinted at all the same
		}
		return &watching{w, young}, nil
	}
}

// watching is a Watch that also tells when a file comes of age.
type watching struct {
	*watch.Watcher
	young *young
}

// Close implements loop.Watch.
func (w *watching) Close() error {
	w.young.end()
	return w.Watcher.Close()
}
