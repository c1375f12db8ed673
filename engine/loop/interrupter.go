package loop

import (
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/pathset"
)

// interrupter is the Loop while the engine executes steps: an engine.Interrupter.
type interrupter struct {
	*runner
	after   time.Duration // how long steps are executed before the rest may be planned anew
	begun   time.Time     // since when they are
	checked time.Time
	paused  time.Time // since when a person wants a pause; zero: nobody does
}

// pauseAfter is what transfers have left when a person pauses.
const pauseAfter = 5 * time.Second

// Yield implements engine.Interrupter.
func (o *interrupter) Yield() bool {
	now := time.Now()
	if now.Sub(o.checked) < time.Second/10 {
		return false
	}
	o.checked = now
	o.mu.Lock()
	next, woken := o.hints.Next(), o.woken
	o.mu.Unlock()
	if woken {
		return true
	}
	if now.Sub(o.begun) < o.after || next.IsZero() || next.After(o.now()) {
		return false
	}
	// With too much pending the next look would have to be at everything.
	counts, err := o.cfg.Engine.Journal.Counts()
	return err == nil && (counts.Pending < engine.MaxPending || now.Sub(o.begun) > rest*max(o.looked, interruptAfter))
}

// Due looks at all hints. What came, or was changed, at a path that is being sent or above it waits; what
// went there may be half of a rename, and then the other half has to wait as well.
func (o *interrupter) Due(inFlight *pathset.Claims) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.woken || o.hints.Everything() {
		return false
	}
	now, found := o.now(), false
	for p := range o.hints.Paths() {
		switch {
		case !inFlight.Writes.Overlaps(p.Path):
			found = found || !p.At.After(now)
		case p.Gone:
			return false
		}
	}
	if !found {
		return false
	}
	counts, err := o.cfg.Engine.Journal.Counts()
	return err == nil && counts.Pending < engine.MaxPending
}

// Replan implements engine.Interrupter.
func (o *interrupter) Replan(inFlight *pathset.Claims, plan func(engine.Focus) (engine.Outcome, error)) error {
	now := o.now()
	o.mu.Lock()
	taken, _ := o.hints.Take(now)
	var waiting, others []*hint.Pending
	for _, p := range taken {
		if inFlight.Writes.Overlaps(p.Path) {
			waiting = append(waiting, p)
		} else {
			others = append(others, p)
		}
	}
	o.hints.Requeue(waiting)
	f := focusOn(others, now)
	o.mu.Unlock()
	out, err := plan(f)
	o.mu.Lock()
	defer o.mu.Unlock()
	if !out.Planned {
		o.hints.Requeue(others)
	} else {
		o.hints.Requeue(hint.At(others, append(out.Waiting, out.Deferred...)))
	}
	o.begun = time.Now()
	return err
}

// Abort implements engine.Interrupter. What is under way has some seconds left when a person pauses.
func (o *interrupter) Abort() bool {
	o.mu.Lock()
	woken := o.woken
	o.mu.Unlock()
	if !woken {
		return false
	}
	if state, err := o.cfg.Engine.Journal.State(); err != nil || !state.Paused {
		return false
	}
	if o.paused.IsZero() {
		o.paused = time.Now()
	}
	return time.Since(o.paused) >= pauseAfter
}
