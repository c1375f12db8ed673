package loop

import (
	"context"
	"errors"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// pulseEvery is how often a remote's host is asked while it does not answer: work is to go on within a
// second of its return.
const pulseEvery = 800 * time.Millisecond

// pulse is the goroutine that waits for the remote's host to answer, while there is one.
type pulse struct {
	end  context.CancelFunc
	done chan struct{} // closed when it has ended; nil: there is none
}

// feelPulse has the remote probed as soon as the host answers, however long the pause before the next probe is. It ends the
// pulse when the remote is not away any more. A host that answers at once, although the remote could not be reached, is
// asked once for each probe: then only a probe can tell.
func (r *runner) feelPulse(ctx context.Context) {
	if r.cfg.Pulse == nil {
		return
	}
	if !errors.Is(r.failure, remote.ErrOffline) || errors.Is(r.failure, remote.ErrNewRemote) {
		r.endPulse()
		return
	}
	if r.pulse.done != nil {
		select {
		case <-r.pulse.done:
			r.endPulse()
		default:
			return // it still waits
		}
	}
	ctx, end := context.WithCancel(ctx)
	r.pulse = pulse{end: end, done: make(chan struct{})}
	go func(done chan<- struct{}) {
		defer close(done)
		if !r.returns(ctx) {
			return
		}
		r.cfg.Engine.Log.Debug("the remote's host answers again")
		r.mu.Lock()
		r.urgent = true
		r.mu.Unlock()
		r.wakeUp()
	}(r.pulse.done)
}

func (r *runner) endPulse() {
	if r.pulse.done == nil {
		return
	}
	r.pulse.end()
	<-r.pulse.done
	r.pulse = pulse{}
}

// returns waits until the remote's host answers, and reports whether it did not before.
func (r *runner) returns(ctx context.Context) bool {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for silent := false; ; silent = true {
		if r.cfg.Pulse(ctx) == nil {
			return silent
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}
