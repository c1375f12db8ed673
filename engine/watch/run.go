package watch

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

// alarms are what wakes the watcher up besides events. A timer that is stopped is one that nobody
// waits for.
type alarms struct {
	canary  *time.Timer
	poll    *time.Timer
	glance  *time.Timer // at the root and the mounts
	root    *time.Timer // look whether the root is back
	recover *time.Timer // look at everything, because events were lost
	due     bool        // recover is running
	rest    time.Duration
}

func newAlarms(poll time.Duration) alarms {
	a := alarms{
		canary:  time.NewTimer(0),
		poll:    time.NewTimer(poll),
		glance:  time.NewTimer(glanceEvery),
		root:    time.NewTimer(0),
		recover: time.NewTimer(0),
	}
	a.root.Stop()
	a.recover.Stop()
	return a
}

func (a *alarms) stop() {
	for _, t := range []*time.Timer{a.canary, a.poll, a.glance, a.root, a.recover} {
		t.Stop()
	}
}

// run gives hints until ctx is done. All of them come from here.
func (w *Watcher) run(ctx context.Context) {
	w.alarm = newAlarms(w.pollPause(0))
	defer w.alarm.stop()
	var events []fsnotify.Event
	for {
		busy := false
		select {
		case <-ctx.Done():
			return
		case <-w.queue.wake:
			events = w.handleAll(ctx, events)
			busy = true
		case <-w.alarm.canary.C:
			w.sing(ctx)
		case <-w.alarm.poll.C:
			w.pollSome(ctx)
		case <-w.alarm.glance.C:
			w.glance(ctx)
		case <-w.alarm.root.C:
			w.beginAnew(ctx)
		case <-w.alarm.recover.C:
			w.beginAnew(ctx)
		}
		w.flush(ctx)
		if busy {
			w.sleep(ctx, breath)
		}
	}
}

func (w *Watcher) sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// keepEvents is the capacity up to which the memory of a batch is used again.
const keepEvents = 4096

// handleAll handles the events that wait, and returns the memory that they were in.
func (w *Watcher) handleAll(ctx context.Context, spare []fsnotify.Event) []fsnotify.Event {
	events, lost := w.queue.take(spare)
	start := w.now()
	if len(events) > 0 {
		w.heard(start)
	}
	for i, e := range events {
		if ctx.Err() != nil {
			return nil
		}
		if w.handle(ctx, e) {
			return nil // set up anew: the rest is of a watch that is no more
		}
		if i%64 == 63 && w.now().Sub(start) > batchTime {
			w.flush(ctx)
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

// note adds a hint to those that are given at the end of the batch. All events of the batch are older
// than that, so that the hints of one path make one.
func (w *Watcher) note(h hint.Hint) {
	if at, ok := w.index[h.Path]; ok {
		w.pending[at].Deep = w.pending[at].Deep || h.Deep
		w.pending[at].Gone = h.Gone
		return
	}
	w.index[h.Path] = len(w.pending)
	w.pending = append(w.pending, h)
}

// flush gives the hints.
func (w *Watcher) flush(ctx context.Context) {
	for _, h := range w.pending {
		if ctx.Err() != nil {
			break
		}
		w.hint(h)
	}
	if cap(w.pending) > keepEvents {
		w.pending, w.index = nil, make(map[string]int)
		return
	}
	clear(w.pending)
	w.pending = w.pending[:0]
	clear(w.index)
}

// overflowed has everything looked at after a rest: what loses events once will soon lose more.
func (w *Watcher) overflowed() {
	w.mu.Lock()
	w.trouble.overflows++
	w.mu.Unlock()
	if w.alarm.due {
		return
	}
	w.log.Warn("file-system events were lost: everything is looked at; more of them can wait with a higher fs.inotify.max_queued_events",
		"root", w.cfg.Root)
	w.alarm.due = true
	w.alarm.recover.Reset(max(overflowRest, w.alarm.rest))
}

// beginAnew sets up the watch from nothing, or waits for the root to be there.
//
// It is what lost events lead to as well. fsnotify may have taken a watch away and told so in one of
// them, so that every one would have to be asked for again; and that takes as long as a new one does.
func (w *Watcher) beginAnew(ctx context.Context) {
	start := w.now()
	w.end()
	w.alarm.due = false
	w.alarm.recover.Stop()
	w.canary.sung = time.Time{}
	w.polling = nil
	if err := w.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return
		}
		w.mu.Lock()
		first := w.trouble.lost == nil
		w.trouble.lost = err
		w.mu.Unlock()
		if first {
			w.log.Warn("the source cannot be watched: waiting for it", "root", w.cfg.Root, "error", err)
			w.note(hint.Hint{Deep: true})
		}
		w.alarm.root.Reset(rootRetry)
		return
	}
	w.alarm.rest = w.now().Sub(start) // under a load that never ends, half of the time is for events
	w.log.Info("the source is watched anew", "root", w.cfg.Root, "took", w.alarm.rest)
	w.alarm.canary.Reset(0)
	w.note(hint.Hint{Deep: true})
}

// checkRoot begins anew if the root is not the directory that is watched, and reports whether it did.
func (w *Watcher) checkRoot(ctx context.Context) bool {
	id, err := rootIdentity(w.cfg.Root)
	if err == nil && id == w.rootID {
		return false
	}
	w.beginAnew(ctx)
	return true
}
