package watch

import (
	"context"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

// recovery is when the watch is set up anew.
type recovery struct {
	timer *time.Timer // look at everything, because events were lost
	due   bool        // timer runs
	root  *time.Timer // look whether the root is back
	rest  time.Duration

	mu        sync.Mutex // guards what follows
	lost      error      // why the root is not watched; nil: it is
	overflows int64
}

// setLost returns what lost was before.
func (r *recovery) setLost(err error) (was error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, r.lost = r.lost, err
	return was
}

// stopped returns a timer that does not run.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// run gives hints until ctx is done. All of them come from here.
func (w *Watcher) run(ctx context.Context) {
	w.canary.timer.Reset(0)
	w.poller.rest()
	w.glance.Reset(glanceEvery)
	var events []fsnotify.Event
	for {
		busy := false
		select {
		case <-ctx.Done():
			return
		case <-w.queue.wake:
			events = w.handleAll(ctx, events)
			busy = true
		case <-w.canary.timer.C:
			w.listen(ctx)
		case <-w.poller.timer.C:
			w.poll(ctx)
		case <-w.glance.C:
			w.lookAround(ctx)
		case <-w.recovery.root.C:
			w.beginAnew(ctx)
		case <-w.recovery.timer.C:
			w.beginAnew(ctx)
		}
		w.batch.flush(ctx)
		if busy {
			select {
			case <-ctx.Done():
			case <-time.After(breath):
			}
		}
	}
}

// keepEvents is the capacity up to which the memory of the events is used again.
const keepEvents = 4096

// handleAll handles the events that wait, and returns the memory that they were in.
func (w *Watcher) handleAll(ctx context.Context, spare []fsnotify.Event) []fsnotify.Event {
	events, lost := w.queue.take(spare)
	start := w.now()
	if len(events) > 0 {
		w.canary.heard(start)
	}
	for i, e := range events {
		if ctx.Err() != nil {
			return nil
		}
		if w.handle(ctx, e) {
			return nil // set up anew: the rest is of a watch that is no more
		}
		if i%64 == 63 && w.now().Sub(start) > batchTime {
			w.batch.flush(ctx)
			start = w.now()
		}
	}
	if lost {
		w.overflowed()
	}
	if cap(events) > keepEvents {
		return nil
	}
	clear(events)
	return events
}

// handle adds what an event hints at to the batch. It reports whether the watch was set up anew instead.
func (w *Watcher) handle(ctx context.Context, e fsnotify.Event) (anew bool) {
	if e.Name == w.root.path {
		// Of the root itself only its going matters: it is no entry of the tree, and its attributes are
		// what the canary changes.
		if !e.Has(fsnotify.Remove) && !e.Has(fsnotify.Rename) {
			return false
		}
		w.beginAnew(ctx)
		return true
	}
	if h, ok := w.dirs.look(ctx, e); ok {
		if h.Deep {
			w.complain()
		}
		w.batch.add(h)
	}
	return false
}

// appeared hints at directories that were covered anew.
func (w *Watcher) appeared(covered []string) {
	if len(covered) > 0 {
		w.complain()
	}
	for _, rel := range covered {
		w.batch.add(hint.Hint{Path: rel, Deep: true})
	}
}

// overflowed has everything looked at after a rest: what loses events once will soon lose more.
func (w *Watcher) overflowed() {
	r := &w.recovery
	r.mu.Lock()
	r.overflows++
	r.mu.Unlock()
	if r.due {
		return
	}
	w.cfg.Log.Warn("file-system events were lost: everything is looked at; more of them can wait with a higher fs.inotify.max_queued_events",
		"root", w.root.path)
	r.due = true
	r.timer.Reset(max(overflowRest, r.rest))
}

// beginAnew sets up the watch from nothing, or waits for the root to be there.
//
// Lost events lead here as well. fsnotify may have taken a watch away and told so in one of them, so that every one
// would have to be asked for again; and that takes as long as a new one does.
func (w *Watcher) beginAnew(ctx context.Context) {
	start := w.now()
	w.end()
	w.recovery.due = false
	w.recovery.timer.Stop()
	w.canary.sung = time.Time{}
	w.poller.left = nil
	if err := w.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return
		}
		if w.recovery.setLost(err) == nil {
			w.cfg.Log.Warn("the source cannot be watched: waiting for it", "root", w.root.path, "error", err)
			w.batch.add(hint.Hint{Deep: true})
		}
		w.recovery.root.Reset(rootRetry)
		return
	}
	w.recovery.rest = w.now().Sub(start) // under a load that never ends, half of the time is for events
	w.cfg.Log.Info("the source is watched anew", "root", w.root.path, "took", w.recovery.rest)
	w.canary.timer.Reset(0)
	w.batch.add(hint.Hint{Deep: true})
}

// checkRoot begins anew if the root is not the directory that is watched, and reports whether it did.
func (w *Watcher) checkRoot(ctx context.Context) bool {
	id, err := w.root.identity()
	if err == nil && id == w.root.id {
		return false
	}
	w.beginAnew(ctx)
	return true
}

// listen has the canary sing, or looks whether it was heard.
func (w *Watcher) listen(ctx context.Context) {
	switch {
	case !w.canary.sung.IsZero():
		unheard := w.canary.proved.Before(w.canary.sung)
		w.canary.sung = time.Time{}
		w.canary.timer.Reset(w.canary.interval)
		if unheard && w.canary.unheard(w.now()) {
			w.beginAnew(ctx)
		}
	case w.dirs.stateAt(w.root.path) != watched:
		w.canary.timer.Reset(w.canary.interval)
	case w.checkRoot(ctx): // which sets the timer if the root is there
	default:
		w.canary.sing(w.now())
	}
}

// poll hints at some of the directories that are polled. A round begins with an attempt to watch them after all.
func (w *Watcher) poll(ctx context.Context) {
	p := &w.poller
	if len(p.left) == 0 {
		covered, anew := w.dirs.retry(ctx)
		w.appeared(covered)
		if anew {
			w.beginAnew(ctx)
		}
		p.left = w.polled()
		p.round = len(p.left)
	}
	for _, rel := range p.some() {
		w.batch.add(hint.Hint{Path: rel, Deep: true})
	}
}

// polled returns the paths of what is polled now: the root, if no events arrive.
func (w *Watcher) polled() []string {
	if w.canary.mute {
		return []string{""}
	}
	return w.dirs.polled()
}

// lookAround looks for what there is no event of: another root, because something above it was renamed or
// mounted; and mounts in the tree that came or went. (One can wait for the table of mounts to change, with
// poll(2); Linux 6.18 was seen to keep one change in twenty to itself, so that looking would be needed as
// well.) A root that is on a server is not asked: that may hang, and the root is polled anyway.
func (w *Watcher) lookAround(ctx context.Context) {
	pause := glanceEvery
	if s := w.dirs.stateAt(w.root.path); s != unseen && s != deaf && !w.checkRoot(ctx) {
		start := w.now()
		mounts := readMounts(w.root.path, w.cfg.Log)
		w.glances = append(w.glances[1:], w.now().Sub(start))
		pause = glancePause(w.glances)
		if mounts != nil {
			w.appeared(w.dirs.remounted(ctx, mounts, w.cfg.Log))
		}
	}
	w.glance.Reset(pause)
}
