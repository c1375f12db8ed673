// Package execute makes pending steps happen: Run reads them from the journal, performs them on a remote, and writes down
// what the remote acknowledged.
//
//	remove what interrupted uploads left under temporary names
//	for page in journal.Pending:
//		journal.Claim(page)           before the first step of it touches the remote
//		for step in page:
//			wait until every earlier step that overlaps it is acknowledged, durably
//			perform(step)         by the next free worker, with retries
//			journal.Ack(results)  in groups
//
// There are three kinds of goroutines, all of them started and awaited in Run:
//
//	dispatcher  hands each step to a worker in its turn; owns the Result; it is the caller's goroutine     dispatch.go
//	ackWriter   the only one that touches the journal                                                      ackwriter.go
//	workers     perform steps on the Connection                                                            perform.go
//
// What Run guarantees: steps that overlap happen in the order of the plan. Of these a crash leaves at most one in doubt, and
// what the remote holds at its paths tells whether it happened. A step that failed or is held keeps its paths blocked: what
// overlaps and comes later is not tried. Nothing is deleted that may be the last copy of a file that failed to arrive.
//
// An upload may take hours, and what changes elsewhere does not wait for it: Run can pass over what is pending several
// times, each time with an ackWriter of its own, while workers work on (replan.go).
//
// What Run leaves to others: which steps there are, what a guard holds and what becomes of steps in doubt are the caller's
// affair, as is to write down that nothing is (Result.Settled), and the classes of errors are package backends'.
package execute

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Config is what Run works with. All of it is required unless said otherwise.
type Config struct {
	Journal *journal.Journal // Run is its only writer meanwhile, but for the Interrupter's Replan
	Conn    remote.Connection
	Caps    remote.Caps     // of Conn, as the plan was made for them
	Source  snapshot.Config // how files are read

	Transfers int                 // steps at once; 0: whatever turns out to be best, see limiter
	Retries   int                 // attempts per step
	Watched   bool                // somebody says when a file that changed while it was read is worth another look
	Slots     *semaphore.Weighted // bounds steps at once over all runs that share it; nil: nothing does
	// Concurrency is set to how many steps are executed at once, whenever that changes.
	Concurrency *atomic.Int64

	// Done is told of each step that the remote did, by the goroutine that called Run.
	Done    func(*journal.Step)
	Observe func(event.Event) // is called by several goroutines
	Log     *slog.Logger
	Now     func() time.Time
}

// DefaultTransfers is how many steps at once suit a remote that says nothing about it.
const DefaultTransfers = 8

// MaxTransfers is how many steps at once Run chooses by itself at most. Over a line with 20 ms each way
// 10,000 small files took a quarter less time to SFTP with 256 than with 128.
const MaxTransfers = 256

// Result is what Run did, also if it ended with an error.
type Result struct {
	event.Counts
	Failed   int64          // paths that are not true yet
	Failures []Failure      // the first MaxFailures of them
	InDoubt  []journal.Step // failed, and may have happened; nil: those that the journal has as started, if any
	Settled  bool           // what was claimed and not acknowledged did not happen
	Refused  remote.Caps    // what the remote turned out not to do
	Rescan   []string       // paths that are to be planned anew
	Again    bool           // another plan has something to gain
	Yielded  bool           // steps are left to another plan
}

// Failure is one path that could not be made true. It is tried again in the next run.
type Failure struct {
	Path string
	Err  error
}

// MaxFailures bounds how many failures a Result carries; Failed counts all.
const MaxFailures = 1000

// fail records one path that is not true.
func (r *Result) fail(path string, err error) {
	r.Failed++
	if len(r.Failures) < MaxFailures {
		r.Failures = append(r.Failures, Failure{path, err})
	}
}

// Interrupter says what is more urgent than the rest of the plan. Run asks it in its own goroutine, often.
type Interrupter interface {
	// Yield reports whether the rest of the plan is to be left to another one.
	Yield() bool
	// Due reports whether something is to be planned that has nothing to do with the paths in flight.
	Due(inFlight *pathset.Claims) bool
	// Replan plans what is due, and rescan, and returns what is pending then, in the journal: first what was pending and is
	// not planned anew, then the new steps. The steps in flight stay as they are. ErrEntangled if the plan has to wait for
	// one of them.
	Replan(ctx context.Context, inFlight []journal.Step, rescan []string) (Batch, error)
	// Abort reports whether even what is under way is to be given up.
	Abort() bool
}

// Run performs every pending step that can be performed now. batch says what is pending; i may be nil. An error ended Run
// early, and everything else stays pending; a step that failed by itself is no error.
//
// A crash in the middle leaves steps that were claimed and not acknowledged: the next run looks at their paths before it
// plans anything.
func Run(ctx context.Context, cfg Config, batch Batch, i Interrupter) (Result, error) {
	cfg.Observe(event.Event{Type: event.Planned, Steps: batch.Steps, UploadBytes: batch.UploadBytes})
	x := &execution{
		performer: &performer{Config: cfg}, interrupter: i, load: load{limiter: limiterFor(&cfg)},
		flights: make(map[int64]flight), jobs: make(chan []journal.Step), results: make(chan []result, 16),
	}
	x.begin(batch)
	err := x.run(ctx)
	return x.result, err
}
