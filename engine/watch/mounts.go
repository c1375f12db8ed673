package watch

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// mount is what the system says of a mounted file system.
type mount struct {
	what  string // as much as tells it from another, and a person what it is
	local bool   // changes come through this kernel only, so that there are events of them
}

// glanceEvery is the time between two glances. Only tests change it.
var glanceEvery = 2 * time.Second

// glanceMost is the time between two glances at a table of mounts that is very long.
const glanceMost = time.Minute

// glancePause is the time until the next glance, given what the last ones took: no more than a two-thousandth of the
// time is spent on them. The quickest tells what one costs; on a busy machine another may have waited for its turn.
func glancePause(took []time.Duration) time.Duration {
	return min(max(glanceEvery, 2000*slices.Min(took)), max(glanceEvery, glanceMost))
}

// remounted covers what was mounted or unmounted beneath the root since the last look, and returns the paths. A mount
// over a directory gives no event, and fsnotify keeps it to itself when watches end with an unmount.
func (c *coverage) remounted(ctx context.Context, now map[string]mount, log *slog.Logger) (covered []string) {
	was := c.mounts
	c.mounts = now
	changed := make(map[string]bool)
	for rel, m := range was {
		if now[rel] != m {
			changed[rel] = true
		}
	}
	for rel := range now {
		if _, ok := was[rel]; !ok {
			changed[rel] = true
		}
	}
	for _, rel := range slices.Sorted(maps.Keys(changed)) {
		path := c.root.prefix + rel
		if c.root.skipped(path) || c.stateAt(filepath.Dir(path)) != watched {
			continue // nobody wants to know, or it is polled
		}
		log.Info("a file system was mounted or unmounted in the source",
			"root", c.root.path, "path", rel, "was", was[rel].what, "is", now[rel].what)
		c.cover(ctx, path)
		covered = append(covered, rel)
	}
	return covered
}
