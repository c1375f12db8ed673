package engine

import (
	"context"
	"errors"
	"time"

	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/journal"
)

// An upload may take hours. What changes elsewhere meanwhile must not wait for it: once only long uploads
// are under way, and something else is due, the pass over what is pending ends, what is due is looked
// at and planned as if the paths of the uploads did not exist, and the next pass goes through the new
// steps first and then through the old ones. Deletes, and whatever has to do with those paths, wait
// until the uploads have ended.
//
// All of it happens in the dispatcher, so nothing of the engine is used by two goroutines that was not
// before.

// Interrupter decides what an execution is for: the loop does. The execution asks it in its own goroutine, often.
type Interrupter interface {
	// Yield reports whether something more urgent than the rest of the plan has come up.
	Yield() bool
	// Due reports whether something is to be looked at that can be planned beside the paths in flight.
	Due(inFlight *pathset.Claims) bool
	// Replan has that looked at: look looks, plans, and puts the plan into the journal.
	Replan(inFlight *pathset.Claims, look func(Focus) (Outcome, error)) error
	// Abort reports whether even what is under way is to be given up.
	Abort() bool
}

// flight is a job under way.
type flight struct {
	job   []journal.Step
	begun time.Time
}

const (
	// longTransfer is how long an upload has been under way when others do not wait for it any more.
	longTransfer = 2 * time.Second
	// askEvery is how often the Interrupter is asked while there is nothing to do but to wait.
	askEvery = 200 * time.Millisecond
)

var (
	// errEntangled means that what is due has to do with what is under way.
	errEntangled = errors.New("it has to wait for a transfer that is under way")
	// ErrPaused means that a person paused, and that the transfers under way were given up.
	ErrPaused = errors.New("paused")
)

// interrupted reports whether the pass is to end although transfers are under way. It gives them up if a
// person wants that.
func (x *execution) interrupted() bool {
	if x.stop == nil && x.r.interrupter.Abort() {
		x.stop = ErrPaused
		x.abandon() // and what is under way lands now
	}
	if x.stop != nil || x.alone || len(x.inDoubt) > 0 {
		return false
	}
	now := x.r.cfg.Now()
	for _, f := range x.flights {
		if s := &f.job[0]; s.Action != journal.Send || s.How != journal.Upload || now.Sub(f.begun) < longTransfer {
			return false
		}
	}
	inFlight := x.inFlight()
	if !x.r.interrupter.Due(&inFlight) {
		return false
	}
	x.r.yielded = true
	return true
}

// inFlight are the paths of what is under way.
func (x *execution) inFlight() pathset.Claims {
	c := pathset.NewClaims(&x.r.caps)
	for _, f := range x.flights {
		for i := range f.job {
			c.Add(&f.job[i])
		}
	}
	return c
}

// drop takes back the claims of a job that was not started.
func (x *execution) drop(job []journal.Step) {
	for i := range job {
		x.claims.Remove(&job[i])
	}
}

// goOnBeside plans what is due, and goes through what is pending, while long transfers are under way.
// Its error is that of the journal; what else goes wrong is x.stop.
func (x *execution) goOnBeside(ctx context.Context) error {
	s := newAckWriter(x.r)
	if x.stop == nil {
		switch err := x.planBeside(ctx); {
		case errors.Is(err, errEntangled):
			x.alone = true // they end, and then it can be planned
		case err != nil:
			x.stop = err
		default:
			s.startAfter(x.p.before)
		}
	}
	return x.pass(ctx, s)
}

// planBeside takes what is due into what is executed.
func (x *execution) planBeside(ctx context.Context) error {
	r, inFlight := x.r, x.inFlight()
	r.beside, r.inDoubt = true, nil
	defer func() { r.beside, r.inDoubt = false, nil }()
	for _, f := range x.flights {
		r.inDoubt = append(r.inDoubt, f.job...)
	}
	err := r.interrupter.Replan(&inFlight, func(f Focus) (out Outcome, err error) {
		id, err := r.checkSource()
		if err != nil {
			return out, err
		}
		p, err := r.prepareWithin(ctx, f, &out)
		if err != nil {
			return out, err
		}
		*x.p, out.Planned = p, true
		return out, r.recordPlan(id, &p, x.sum)
	})
	if err != nil {
		return err
	}
	x.begin()
	for i := range r.inDoubt {
		x.claims.Add(&r.inDoubt[i])
	}
	x.unwritten, x.long, r.yielded = 0, &inFlight, false
	return nil
}
