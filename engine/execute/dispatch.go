package execute

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// execution is one Run. All but performer and the channels belongs to the dispatcher.
type execution struct {
	*performer
	interrupter Interrupter // nil: nothing is ever more urgent
	account
	load
	result Result

	flights map[int64]flight // jobs under way, by the number of their first step
	alone   bool             // what is due cannot be planned beside them

	acks    *ackWriter          // of this pass
	jobs    chan []journal.Step // dispatcher to workers: one step, or a batch of deletes
	results chan []result       // workers to dispatcher
	stop    error               // why no further step is started
	abandon func()              // ends the steps under way: once the remote is gone they would only wait
	ask     <-chan time.Time    // ticks when the Interrupter is to be asked; nil: there is none
}

// account is what the dispatcher knows of one Batch.
type account struct {
	Batch
	claims    pathset.Claims  // paths of steps under way or not yet written down
	blocked   pathset.Claims  // paths of steps that failed
	held      pathset.Claims  // paths of steps that are held, and of what waits for them
	unsent    failedUploads   // new files that failed to arrive
	staying   pathset.Set     // directories that were to go, and that something else is in
	beside    *pathset.Claims // paths of transfers that this pass goes on beside; nil: there are none
	unwritten int             // steps that worked and are not yet written down
	deleting  bool            // the dispatcher has reached the deletes after LastWork
	yielded   bool            // something is more urgent than the rest
}

// load is what the limiter is told, and what it made of that.
type load struct {
	limiter  *limiter
	steps    int64 // that have ended
	refusals int64 // of the performer's throttles, those that the limiter knows
}

// flight is a job under way.
type flight struct {
	job   []journal.Step
	begun time.Time
}

// result is what became of one step.
type result struct {
	step    journal.Step
	entry   *snapshot.Entry // what the remote now holds at step.Path
	err     error
	inDoubt bool // it failed, but it may have happened all the same
	stays   bool // of a directory's delete that worked as far as it can: something else is in it
}

// begin starts the account of a batch.
func (x *execution) begin(b Batch) {
	x.account = account{
		Batch: b, unsent: make(failedUploads), staying: pathset.New(&x.Caps),
		claims: pathset.NewClaims(&x.Caps), blocked: pathset.NewClaims(&x.Caps), held: pathset.NewClaims(&x.Caps),
	}
}

func (x *execution) run(ctx context.Context) error {
	if err := x.cleanTemps(ctx); err != nil {
		x.result.Settled = true // nothing was started
		return err
	}
	ctx, x.abandon = context.WithCancel(ctx)
	defer x.abandon()
	if x.interrupter != nil {
		t := time.NewTicker(askEvery)
		defer t.Stop()
		x.ask = t.C
	}
	var workers sync.WaitGroup
	for range x.limiter.max + x.spare() {
		workers.Go(func() {
			for job := range x.jobs {
				x.results <- x.perform(ctx, job)
			}
		})
	}
	err := x.pass(ctx, newAckWriter(x.Journal, x.Now))
	for err == nil && len(x.flights) > 0 {
		err = x.goOnBeside(ctx)
	}
	if err != nil {
		x.abandon() // nobody could write down what became of them
		for len(x.flights) > 0 {
			delete(x.flights, (<-x.results)[0].step.Seq)
		}
	}
	close(x.jobs)
	workers.Wait()
	x.result.Yielded = x.result.Yielded || x.yielded
	if err != nil {
		x.result.InDoubt = nil // the journal knows better
		return errors.Join(x.stop, err)
	}
	// Else the journal keeps all that was claimed in doubt, should this process end here.
	x.result.Settled = len(x.result.InDoubt) == 0
	return x.stop
}

// pass goes through what is pending once. If something is due that long transfers must not hold up, they, and nothing
// else, are left under way. The error is that of the journal.
func (x *execution) pass(ctx context.Context, acks *ackWriter) error {
	x.Observe(event.Event{Type: event.Phase, Text: "transferring"})
	x.acks = acks
	ended := make(chan error, 1)
	go func() { ended <- acks.run() }()
	x.dispatch(ctx)
	close(acks.inbox)
	return <-ended
}

// dispatch walks all pages. When it returns nothing is under way, or only what others must not wait for.
func (x *execution) dispatch(ctx context.Context) {
	var deletes []journal.Step // a batch that is being gathered; it may span pages
	for page := range x.acks.pages {
		for _, step := range page {
			x.yielded = x.yielded || x.stop == nil && x.interrupter != nil && x.interrupter.Yield()
			if x.stop != nil || x.yielded {
				break // what was claimed and not started did not happen, as after any end
			}
			deletes = x.admit(ctx, step, deletes)
		}
		if x.stop != nil || x.yielded {
			break
		}
	}
	x.start(ctx, deletes)
	x.land(ctx)
}

// admit waits for whatever must come before a step, and then starts it, or adds it to the batch of deletes that is being
// gathered. It returns the batch as it is now.
func (x *execution) admit(ctx context.Context, step journal.Step, deletes []journal.Step) []journal.Step {
	if _, flies := x.flights[step.Seq]; flies {
		return deletes // an earlier pass started it
	}
	if x.beside != nil && (step.Seq > x.LastWork || x.beside.Overlaps(&step)) {
		x.result.Yielded = true // it waits for them
		x.held.Add(&step)
		return deletes
	}
	if step.Seq > x.LastWork && !x.deleting {
		x.deleting = true
		x.land(ctx)
	}
	if !x.yielded && x.claims.Overlaps(&step) {
		x.start(ctx, deletes)
		deletes = nil
		if !x.yielded {
			x.clear(ctx, &step)
		}
	}
	if x.yielded || x.skip(&step) { // it may have turned out while something was waited for
		return deletes
	}
	x.claims.Add(&step)
	if step.Action != journal.Delete || step.Dir {
		x.start(ctx, []journal.Step{step})
		return deletes
	}
	deletes = append(deletes, step)
	if len(deletes) < x.Caps.DeleteBatch {
		return deletes
	}
	x.start(ctx, deletes)
	return nil
}

// start hands a job to the next free worker. If the pass is to end first, the job is not started.
func (x *execution) start(ctx context.Context, job []journal.Step) {
	stopped := func() bool { return x.stop != nil }
	if len(job) > 0 && !x.wait(ctx, job, x.ask, stopped) {
		x.release(job)
	}
}

// land waits until nothing is under way, or only what others must not wait for.
func (x *execution) land(ctx context.Context) {
	x.wait(ctx, nil, x.ask, func() bool { return len(x.flights) == 0 })
}

// clear waits until every step that overlaps this one is written down, and hurries the ackWriter.
func (x *execution) clear(ctx context.Context, step *journal.Step) {
	x.wait(ctx, nil, nil, func() bool {
		if x.stop != nil || !x.claims.Overlaps(step) {
			return true
		}
		if x.unwritten > 0 {
			x.acks.inbox <- report{hurry: true}
		}
		return false
	})
}

// wait takes in what workers and ackWriter tell until enough reports true. A job is handed to the next free worker, and
// that is enough; nil: there is none. The Interrupter is asked at each tick of ask; wait reports false if it ends the pass.
func (x *execution) wait(ctx context.Context, job []journal.Step, ask <-chan time.Time, enough func() bool) bool {
	for !enough() {
		var jobs chan<- []journal.Step
		var ended, failed <-chan struct{}
		if len(job) > 0 {
			ended = ctx.Done()
			x.regulate()
			limit := x.limiter.limit
			if x.beside != nil && job[0].Seq > x.After {
				limit += x.spare() // what is new does not wait for one of the long transfers
			}
			if len(x.flights) < limit {
				jobs = x.jobs
			}
		}
		if x.stop == nil {
			failed = x.acks.failed
		}
		select {
		case jobs <- job:
			x.flights[job[0].Seq] = flight{job, x.Now()}
			x.limiter.started(len(x.flights))
			return true
		case <-ask:
			if x.interrupted() {
				return false
			}
		case done := <-x.results:
			x.settle(done)
		case steps := <-x.acks.written:
			x.unwritten -= len(steps)
			x.release(steps)
		case <-failed:
			x.stop = errStopped // the ackWriter's own error says why
			x.abandon()
		case <-ended:
			x.stop = ctx.Err()
		}
	}
	return true
}

// regulate lets the limiter see how things go.
func (x *execution) regulate() {
	x.throttles.Add(x.Conn.Throttled()) // a large file's come long before it ends
	units := x.sent.Load() + x.steps*stepUnits
	if n := x.throttles.Load(); n != x.refusals {
		x.refusals = n
		x.limiter.throttled(x.Now(), units)
	}
	x.limiter.measure(x.Now(), units)
	x.Concurrency.Store(int64(x.limiter.limit))
}

// spare is how many steps more than the limiter's limit there may be: one, or none if a person set the limit.
func (x *execution) spare() int {
	if x.Transfers > 0 {
		return 0
	}
	return 1
}

// settle takes in what became of a job and passes its results on to be written down.
func (x *execution) settle(done []result) {
	delete(x.flights, done[0].step.Seq)
	x.steps += int64(len(done))
	for i := range done {
		r := &done[i]
		if r.err == nil {
			x.unwritten++
			if r.stays {
				x.staying.Count(r.step.Path, 1)
			}
			x.result.Counts.Add(&r.step, x.size(r))
			x.Done(&r.step)
		} else {
			x.failed(r)
		}
		x.Observe(event.Event{Type: event.StepDone, Step: &r.step, Err: r.err})
		x.acks.inbox <- report{result: *r}
	}
}

// size is how many bytes a step brought to its path.
func (x *execution) size(r *result) int64 {
	switch {
	case r.step.Action == journal.Move && r.step.Dir:
		return x.Saved[r.step.Seq]
	case r.entry != nil:
		return r.entry.Size
	}
	return 0
}

func (x *execution) failed(r *result) {
	x.claims.Remove(&r.step)
	x.blocked.Add(&r.step)
	x.unsent.add(&r.step, remote.Class(r.err))
	x.classify(r)
	if r.inDoubt {
		x.result.InDoubt = append(x.result.InDoubt, r.step)
	}
	switch {
	case !EndsRun(r.err):
		x.result.fail(r.step.Path, r.err)
	case x.stop == nil:
		x.stop = r.err
		x.abandon()
	}
}

// release lets others have the paths of steps.
func (x *execution) release(steps []journal.Step) {
	for i := range steps {
		x.claims.Remove(&steps[i])
	}
}

// skip reports whether a step is to stay pending: it is held, or has to follow one that did not happen, or would delete
// what may be the last copy of a file that failed to arrive under another name.
func (x *execution) skip(step *journal.Step) bool {
	class, waits := x.BackedOff[step.Seq]
	switch {
	case step.Held, x.held.Overlaps(step):
		x.held.Add(step) // what waits for a person is no failure
		return true
	case waits:
		x.blocked.Add(step)
		x.unsent.add(step, class)
		return true
	case x.blocked.Overlaps(step):
		x.unsent.add(step, "")
		x.block(step, errBlocked)
		return true
	case step.Action != journal.Delete && x.staying.Overlaps(step.Path):
		x.unsent.add(step, "")
		x.block(step, errInTheWay)
		return true
	case !x.deleting:
		return false
	}
	path := x.unsent.mayBe(step)
	if path == "" {
		return false
	}
	x.block(step, fmt.Errorf("%w: it may be the last copy of %q, which has not arrived", errBlocked, path))
	return true
}

// block leaves a step pending.
func (x *execution) block(step *journal.Step, why error) {
	x.blocked.Add(step)
	x.Log.Info("not tried", "path", step.Path, "why", why)
	x.result.fail(step.Path, why)
}

var (
	errBlocked  = remote.Classed("blocked", "waits for another step, which failed")
	errInTheWay = remote.Classed("blocked", "on the remote a directory is in its place, with files in it that the source does not answer for")
	errStopped  = errors.New("the journal cannot be written")
)
