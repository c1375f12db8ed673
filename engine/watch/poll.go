package watch

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

const (
	// So many hints at once, and no more for so long: what looks at them is to do other things, too.
	pollBurst = 20
	pollGap   = 100 * time.Millisecond
	// retryMost is how many directories without a watch are tried again in one round.
	retryMost = 1000
)

// pollPause returns the time until the next round of n directories: the interval, or longer, so that
// no more than half of the time is spent in rounds; and a fifth more or less, so that several watchers
// do not poll at once.
func (w *Watcher) pollPause(n int) time.Duration {
	pause := max(w.cfg.PollInterval, time.Duration(n/pollBurst)*pollGap)
	return pause - pause/5 + rand.N(pause/5*2+1)
}

// pollSome hints at some of the directories that are polled. A round begins with an attempt to watch
// them after all.
func (w *Watcher) pollSome(ctx context.Context) {
	if len(w.polling) == 0 {
		w.retry(ctx)
		w.polling = w.polled()
		w.pollCount = len(w.polling)
	}
	n := min(len(w.polling), pollBurst)
	for _, rel := range w.polling[:n] {
		w.note(hint.Hint{Path: rel, Deep: true})
	}
	if w.polling = w.polling[n:]; len(w.polling) > 0 {
		w.alarm.poll.Reset(pollGap)
		return
	}
	w.alarm.poll.Reset(w.pollPause(w.pollCount))
}

// polled returns the paths of what is polled now.
func (w *Watcher) polled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trouble.mute {
		return []string{""}
	}
	var paths []string
	for n := range w.tree.odd {
		if n.state.polled() {
			rel, _ := w.relative(n.path)
			paths = append(paths, rel)
		}
	}
	slices.Sort(paths)
	return paths
}

// retry watches what could not be watched before and can now.
func (w *Watcher) retry(ctx context.Context) {
	var limited, others []string
	w.mu.Lock()
	instances := w.trouble.instances
	for n := range w.tree.odd {
		switch n.state {
		case full:
			limited = append(limited, n.path)
		case unreadable, twice:
			others = append(others, n.path)
		}
	}
	w.mu.Unlock()
	if instances {
		if n, err := fsnotify.NewWatcher(); err == nil {
			_ = n.Close() // it was only to see whether there is one
			w.beginAnew(ctx)
		}
		return
	}
	slices.Sort(limited)
	for _, path := range limited[:min(len(limited), retryMost)] {
		if ctx.Err() != nil || !w.canWatch(path) {
			break
		}
		rel, _ := w.relative(path)
		w.appeared(ctx, path, rel)
	}
	for _, path := range others[:min(len(others), retryMost)] {
		w.cover(ctx, path)
		if rel, _ := w.relative(path); w.stateAt(path) == watched {
			w.note(hint.Hint{Path: rel, Deep: true})
		}
	}
}

// canWatch tries whether the system has a watch left, at a path that has none.
func (w *Watcher) canWatch(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.room() {
		return false
	}
	err := w.notifier.Add(path)
	w.removeWatch(path)
	return stateOf(err) != full
}
