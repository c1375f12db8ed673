package watch

import (
	"context"
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

// glance looks for what there is no event of: another root, because something above it was renamed or
// mounted; and mounts in the tree that came or went. (One can wait for the table of mounts to change, with
// poll(2); Linux 6.18 was seen to keep one change in twenty to itself, so that looking would be needed as
// well.) A root that is on a server is not asked: that may hang, and the root is polled anyway.
func (w *Watcher) glance(ctx context.Context) {
	pause := glanceEvery
	if s := w.stateAt(w.cfg.Root); s != unseen && s != deaf && !w.checkRoot(ctx) {
		start := w.now()
		mounts := readMounts(w.cfg.Root, w.log)
		w.glances = append(w.glances[1:], w.now().Sub(start))
		pause = glancePause(w.glances)
		if mounts != nil {
			w.remounted(ctx, mounts)
		}
	}
	w.alarm.glance.Reset(pause)
}

// glancePause is the time until the next glance, given what the last ones took: no more than a two-thousandth of the
// time is spent on them. The quickest tells what one costs; on a busy machine another may have waited for its turn.
func glancePause(took []time.Duration) time.Duration {
	return min(max(glanceEvery, 2000*slices.Min(took)), max(glanceEvery, glanceMost))
}

// remounted covers what was mounted or unmounted beneath the root since the last look. A mount over a
// directory gives no event, and fsnotify keeps it to itself when watches end with an unmount.
func (w *Watcher) remounted(ctx context.Context, now map[string]mount) {
	was := w.mounts
	w.mounts = now
	changed := make(map[string]bool)
	for rel, m := range was {
		if w.mounts[rel] != m {
			changed[rel] = true
		}
	}
	for rel := range w.mounts {
		if _, ok := was[rel]; !ok {
			changed[rel] = true
		}
	}
	for _, rel := range slices.Sorted(maps.Keys(changed)) {
		if path := w.prefix + rel; w.skipped(path) || w.stateAt(filepath.Dir(path)) != watched {
			continue // nobody wants to know, or it is polled
		}
		w.log.Info("a file system was mounted or unmounted in the source",
			"root", w.cfg.Root, "path", rel, "was", was[rel].what, "is", now[rel].what)
		w.appeared(ctx, w.prefix+rel, rel)
	}
}
