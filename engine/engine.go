// Package engine keeps a remote true to a local directory.
//
// One cycle is this, and start-up, retry and recovery after a crash are the same code:
//
//	recover                         what became of steps that an earlier run started   recover.go
//	head    = scan of the source, streamed against the base                            scan.go
//	changes = what differs, hashed where the stat cannot tell                          scan.go
//	plan    = plan.Make(changes, capabilities)                                         package plan, pure
//	guard.Check(plan)               may hold deletes, nothing else                     package guard, pure
//	reach the remote                nothing is written if it is not what was planned for   cycle.go
//	journal.Begin(plan)             replaces what was pending, claims the first steps  cycle.go, run.go
//	execute.Run(pending)            the remote acknowledges, the base is folded        package execute
//	journal.Finish                  and what the run has found out                     cycle.go
//
// While a process stays, package loop decides when a cycle is due and how much of the source it scans; focus.go
// narrows the cycle to that.
//
// What the engine guarantees: the base is folded only from what a Connection acknowledged; nothing is
// deleted whose absence from the source was not proved by a complete listing; a plan that deletes more
// than the guard allows has its deletes held, as a whole, while everything else goes on; a run that ends
// anywhere, by any cause, is continued by the next one.
//
// What it leaves to others: reading the source is package snapshot's, durability package journal's, the
// remote's peculiarities package backends'; flags, terminals and the lock of a mapping are the command's.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Config is everything that an Engine needs to know. Zero values are usable unless said otherwise.
type Config struct {
	Scan    snapshot.Config  // Root is required
	Journal *journal.Journal // required; the engine is its only writer
	// Connect opens the remote. The engine calls it when it first needs the remote, which is never
	// if nothing changed, and closes what it returns. What the Connection has to remember of unfinished
	// uploads it keeps in u. Required.
	Connect func(ctx context.Context, u remote.Uploads) (remote.Connection, error)

	CompleteSync bool            // mirror deletes; otherwise the remote retains what was deleted
	EmptyDirs    bool            // --create-empty-src-dirs
	MaxDelete    guard.MaxDelete // zero value: half of the base
	Approve      bool            // --approve
	Transfers    int             // steps at once; 0: whatever turns out to be best, see package execute
	Retries      int             // attempts per step within one run; 0: 3
	Metadata     bool            // --metadata: changed modes, owners and attributes count
	// Staying says that one run follows the other, in a process that stays: Approve is for the first run that ends well, and
	// whoever runs the engine flushes the remote.
	Staying bool
	Boot    string // identifies this start of the machine; "": unknown
	// Options is what Connect depends on besides the remote: what was learned of the remote with others
	// is asked again.
	Options string

	// Slots bounds the steps that are executed at once over all engines that share it; nil: nothing does.
	Slots *semaphore.Weighted

	// Observe is told what happens, from several goroutines, and must be quick. May be nil.
	Observe func(event.Event)
	Log     *slog.Logger     // nil: discard
	Now     func() time.Time // nil: time.Now
}

// Engine runs the cycles of one mapping. Its methods must not be called concurrently, but for Concurrency. It has what
// outlives a run; what one run knows is in run.
type Engine struct {
	cfg  Config
	conn remote.Connection // opened by connect; nil until the remote is needed
	// at is where on this machine the remote was when it was last connected to: see checkPlaces.
	at []remote.Place

	// inDoubt are steps whose outcome nobody knows. nil: those that the journal has as started.
	inDoubt []journal.Step
	// rescan are the paths, with what is beneath, about which the base learned something since the last scan.
	rescan []string

	warned map[string]string // places where absence proved nothing, and why: each is warned of once
	// missingMounts are the places where a file system is not mounted any more, or is another one, by path.
	missingMounts map[string]snapshot.Unproven
	burst         guard.Burst

	concurrency atomic.Int64 // how many steps are executed at once
}

// ErrNewSource means that the source is not the directory that was snapshotted: it was unmounted,
// replaced or swapped. Nothing was sent and nothing was deleted.
var ErrNewSource = remote.Classed("source", "source is not the directory that was snapshotted")

// New returns an engine for one mapping.
func New(cfg Config) (*Engine, error) {
	switch {
	case cfg.Scan.Root == "":
		return nil, errors.New("engine: no source")
	case cfg.Journal == nil:
		return nil, errors.New("engine: no journal")
	case cfg.Connect == nil:
		return nil, errors.New("engine: no way to connect")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Observe == nil {
		cfg.Observe = func(event.Event) {}
	}
	if cfg.Retries == 0 {
		cfg.Retries = 3
	}
	cfg.Scan.Mirror = cfg.CompleteSync
	cfg.Scan.Log = cfg.Log
	cfg.Scan.Now = cfg.Now
	return &Engine{cfg: cfg}, nil
}

// Close releases the remote. An Engine may be used again afterwards.
func (e *Engine) Close() error {
	if e.conn == nil {
		return nil
	}
	conn := e.conn
	e.conn = nil
	return conn.Close()
}

// Config is what New was given, with the defaults filled in.
func (e *Engine) Config() Config { return e.cfg }

// Concurrency is how many steps the remote is given at once at present; 0: none was yet. It may be called from any
// goroutine, at any time.
func (e *Engine) Concurrency() int { return int(e.concurrency.Load()) }

func (e *Engine) phase(text string) { e.cfg.Observe(event.Event{Type: event.Phase, Text: text}) }
