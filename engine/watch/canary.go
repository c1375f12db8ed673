package watch

import (
	"context"
	"time"
)

// canary proves that events arrive. It gives the root the owner that it has: that changes nothing but
// its ctime, leaves no file in the user's tree, and makes an event of changed attributes, which is not
// hinted at. (To set its mode again would do as well, and undo what a person does to it at the same
// moment; owners change more rarely than modes, and only by the superuser.)
type canary struct {
	sung   time.Time // when it sang and has not been heard; zero: it is at rest
	silent int       // how often in a row it was not heard
}

// canaryPatience is how long an event may be on its way.
const canaryPatience = 5 * time.Second

// sing is the canary's alarm: it is time to sing, or to have been heard.
func (w *Watcher) sing(ctx context.Context) {
	c := &w.canary
	pause := w.cfg.CanaryInterval
	patience := min(canaryPatience, pause)
	if !c.sung.IsZero() {
		unheard := w.proved().Before(c.sung)
		c.sung = time.Time{}
		w.alarm.canary.Reset(pause)
		if unheard {
			w.unheard(ctx, patience)
		}
		return
	}
	if w.stateAt(w.cfg.Root) != watched {
		w.alarm.canary.Reset(pause)
		return
	}
	if w.checkRoot(ctx) {
		return // which sets the alarm if the root is there
	}
	now := w.now()
	if proved := w.proved(); now.Sub(proved) < pause {
		w.alarm.canary.Reset(pause - now.Sub(proved))
		return
	}
	if err := poke(w.cfg.Root); err != nil {
		w.cannotProve(err)
		w.alarm.canary.Reset(pause)
		return
	}
	c.sung = now
	w.alarm.canary.Reset(patience)
}

// unheard sets everything up anew. Where that does not help, the root is polled as well, and a new
// attempt is made less often.
func (w *Watcher) unheard(ctx context.Context, patience time.Duration) {
	w.canary.silent++
	silent := w.canary.silent
	w.mu.Lock()
	w.trouble.silences++
	w.trouble.silentAt = w.now()
	w.trouble.mute = silent > 1
	w.mu.Unlock()
	if silent > 2 && silent%30 != 0 {
		return
	}
	w.log.Error("no file-system event arrived: the watch is set up anew, and everything is looked at",
		"root", w.cfg.Root, "waited", patience, "in a row", silent)
	w.beginAnew(ctx)
}

// heard notes that an event arrived.
func (w *Watcher) heard(at time.Time) {
	w.canary.silent = 0
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble.proved, w.trouble.unprovable = at, nil
	w.trouble.mute = false
}

func (w *Watcher) proved() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble.proved
}

func (w *Watcher) cannotProve(err error) {
	w.mu.Lock()
	first := w.trouble.unprovable == nil
	w.trouble.unprovable = err
	w.mu.Unlock()
	if first {
		w.log.Info("that file-system events arrive cannot be proved here", "root", w.cfg.Root, "error", err)
	}
}
