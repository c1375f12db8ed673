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
	begun   time.Time     // since when steps are executed
	checked time.Time     // when Yield last looked at anything
	paused  time.Time     // since when a person wants a pause; zero: nobody does
}

// pauseAfter is how long transfers go on when a person pauses.
const pauseAfter = 5 * time.Second

// Yield implements engine.Interrupter.
func (i *interrupter) Yield() bool {
	now := time.Now()
	if now.Sub(i.checked) < time.Second/10 {
		return false
	}
	i.checked = now
	i.mu.Lock()
	next, woken := i.hints.Next(), i.woken
	i.mu.Unlock()
	if woken {
		return true
	}
	if now.Sub(i.begun) < i.after || next.IsZero() || next.After(i.now()) {
		return false
	}
	// With too much pending the next look would have to be at everything.
	counts, err := i.cfg.Engine.Journal.Counts()
	return err == nil && (counts.Pending < engine.MaxPending || now.Sub(i.begun) > rest*max(i.looked, interruptAfter))
}

// Due looks at all hints. What came, or was changed, at a path that is being sent or above it waits. What went there may be
// half of a rename: then nothing is due, since the other half has to wait as well.
func (i *interrupter) Due(inFlight *pathset.Claims) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.woken || i.hints.Everything() {
		return false
	}
	now, found := i.now(), false
	for p := range i.hints.Paths() {
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
	counts, err := i.cfg.Engine.Journal.Counts()
	return err == nil && counts.Pending < engine.MaxPending
}

// Replan implements engine.Interrupter.
func (i *interrupter) Replan(inFlight *pathset.Claims, plan func(engine.Focus) (engine.Outcome, error)) error {
	now := i.now()
	i.mu.Lock()
	taken, _ := i.hints.Take(now)
	var waiting, others []*hint.Pending
	for _, p := range taken {
		if inFlight.Writes.Overlaps(p.Path) {
			waiting = append(waiting, p)
		} else {
			others = append(others, p)
		}
	}
	i.hints.Requeue(waiting)
	f := focusOn(others, now)
	i.mu.Unlock()
	out, err := plan(f)
	i.mu.Lock()
	defer i.mu.Unlock()
	if !out.Planned {
		i.hints.Requeue(others)
	} else {
		i.hints.Requeue(hint.WithPaths(others, append(out.Waiting, out.Deferred...)))
	}
	i.begun = time.Now()
	return err
}

// Abort implements engine.Interrupter.
func (i *interrupter) Abort() bool {
	i.mu.Lock()
	woken := i.woken
	i.mu.Unlock()
	if !woken {
		return false
	}
	if state, err := i.cfg.Engine.Journal.State(); err != nil || !state.Paused {
		return false
	}
	if i.paused.IsZero() {
		i.paused = time.Now()
	}
	return time.Since(i.paused) >= pauseAfter
}
