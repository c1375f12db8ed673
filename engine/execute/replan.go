package execute

import (
	"context"
	"errors"
	"time"

	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// An upload may take hours. What changes elsewhere meanwhile must not wait: once only long uploads are under way, and
// something else is due, the pass over what is pending ends. What is due is scanned and planned as if the paths of the
// uploads did not exist, and the next pass goes through the new steps first and then through the old ones. Deletes, and
// whatever has to do with the paths of the uploads, wait until these have ended.
//
// All of it happens in the dispatcher, while no ackWriter runs.

const (
	// longTransfer is how long others wait for an upload that is under way.
	longTransfer = 2 * time.Second
	// askEvery is how often the Interrupter is asked while there is nothing to do but to wait.
	askEvery = 200 * time.Millisecond
)

var (
	// ErrEntangled means that what is due has to do with what is in flight.
	ErrEntangled = errors.New("it has to wait for a transfer that is under way")
	// ErrPaused means that a person paused, and that the transfers under way were given up.
	ErrPaused = remote.Classed("interrupted", "paused")
)

// interrupted reports whether the pass is to end although transfers are under way. If a person wants that, they are given
// up.
func (x *execution) interrupted() bool {
	if x.stop == nil && x.interrupter.Abort() {
		x.stop = ErrPaused
		x.abandon() // and what is under way lands now
	}
	if x.stop != nil || x.alone || len(x.result.InDoubt) > 0 {
		return false
	}
	now := x.Now()
	for _, f := range x.flights {
		if s := &f.job[0]; s.Action != journal.Send || s.How != journal.Upload || now.Sub(f.begun) < longTransfer {
			return false
		}
	}
	_, paths := x.inFlight()
	if !x.interrupter.Due(&paths) {
		return false
	}
	x.yielded = true
	return true
}

// inFlight returns the steps that are under way, and their paths.
func (x *execution) inFlight() (steps []journal.Step, paths pathset.Claims) {
	for _, f := range x.flights {
		steps = append(steps, f.job...)
	}
	return steps, pathset.ClaimsOf(&x.Caps, steps)
}

// goOnBeside has planned what is due, and goes through what is pending, while long transfers are under way. The error is
// that of the journal; what else goes wrong is x.stop.
func (x *execution) goOnBeside(ctx context.Context) error {
	acks := newAckWriter(x.Journal, x.Now)
	if x.stop == nil {
		switch err := x.replan(ctx); {
		case errors.Is(err, ErrEntangled):
			x.alone = true // they end, and then it can be planned
		case err != nil:
			x.stop = err
		default:
			acks.after, acks.upTo = x.After, x.After // the new steps first, and then the others
		}
	}
	return x.pass(ctx, acks)
}

// replan takes what is due into what is executed. Failures are counted anew, since the next pass tries these paths again.
func (x *execution) replan(ctx context.Context) error {
	steps, paths := x.inFlight()
	rescan := x.result.Rescan
	x.result.Rescan = nil
	batch, err := x.interrupter.Replan(ctx, steps, rescan)
	if err != nil {
		return err
	}
	x.begin(batch)
	for i := range steps {
		x.claims.Add(&steps[i])
	}
	x.beside = &paths
	x.result.Failed, x.result.Failures = 0, nil
	return nil
}
