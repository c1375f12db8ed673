// Package loop keeps one mapping true for as long as a process runs.
//
// Everything that a Loop does is a cycle of its engine; hints, the clock and people only say when, and where to look:
//
//	hint         an event, a retry, a periodic scan: into the queue     loop.go, package hint
//	turn         what is due becomes the focus of a cycle               runner.go
//	cycle        the engine looks, plans, executes                      package engine
//	interrupter  while it executes: is something more urgent?           interrupter.go
//	goOnAfter    how to go on after an error: probe, wait, give up      runner.go
//	showState    the word that `status` shows                           runner.go
//
// What it guarantees: what was hinted at is looked at, or everything is; while the remote is away it is probed with growing
// pauses, and changes are planned so that what is pending stays the minimum; no error but a damaged journal ends it.
// What it leaves to others: watching is package watch's, decisions of people are in the journal, and Wake has them read.
package loop

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/hint"
)

// Watch is what gives hints while it is open.
type Watch interface {
	Health() hint.Health
	Close() error
}

// Config says how a mapping is kept true for as long as a process runs. Zero values mean the
// defaults of the command line unless said otherwise.
type Config struct {
	Engine      engine.Config
	Settle      time.Duration // quiet time that a path needs before it is looked at; 0: none
	SettleMax   time.Duration // limit of that for a path that is never quiet
	DeleteDelay time.Duration // grace for what goes: it may be half of a rename
	Interval    time.Duration // between full scans, jittered; 0: 1 h; below 0: never
	ProbeMin    time.Duration // pauses between attempts to reach a remote that is away, jittered; 0: 1 s
	ProbeMax    time.Duration // 0: 60 s
	// Watch starts to watch the source, and calls hint, from any goroutine, until it is closed. It
	// returns once everything that happens from then on is hinted at. nil: nothing is watched.
	Watch func(ctx context.Context, hint func(hint.Hint)) (Watch, error)
	// Pulse reports, soon and at no cost to the remote, whether its host answers at all: with a connection
	// that is closed again, say. It is called about once a second while the remote is away, until it returns
	// nil; then the remote is probed at once. nil: that cannot be told, and only probes can.
	Pulse func(ctx context.Context) error
}

// State is the one word for what a Loop is doing.
type State string

// The states of a Loop, and of the contract of `status`.
const (
	Idle     State = "idle"     // everything that is known is on the remote
	Scanning State = "scanning" // the source is being looked at
	Syncing  State = "syncing"  // steps are being executed
	Offline  State = "offline"  // the remote cannot be reached, or answers uselessly; it is probed
	Held     State = "held"     // a guard holds steps, or the source is not the one it was
	Paused   State = "paused"   // by a person
	Stopped  State = "stopped"  // Run is not running, or an error that only a person can mend
)

// StateAfter is the state of a mapping whose last run ended with an error of this class, see remote.Class: in a process that
// stays, and where only the journal tells.
func StateAfter(class string) State {
	switch class {
	case "offline", "temporary":
		return Offline
	case "source":
		return Held
	}
	return Stopped
}

// Status is how a Loop stands. Its numbers of files and steps are the journal's.
type Status struct {
	State   State
	Since   time.Time
	Why     string         // for a person: the reason, and what would change it
	Next    time.Time      // of the next attempt or full scan; zero: none is planned
	Hints   int            // paths that wait to be looked at
	Oldest  time.Time      // when the oldest of them was hinted at; zero: none
	Missed  int64          // changes that only a full scan found, since the start
	Cycles  int64          // since the start
	Last    engine.Summary // what the last cycle did
	LastAt  time.Time      // when it ended
	Err     string         // of the last cycle; "": none
	ErrKind string         // its class: "offline", "quota", "permission", …
	Watch   hint.Health
	Due     time.Time // when Run goes on by itself; zero: it is at work
	// Transfers is how many steps the remote is given at once at present; 0: none was yet.
	Transfers int
}

// Loop keeps one mapping true for as long as Run runs.
//
// What a person decides (pause, approve, retry) is written to the journal, and Wake makes the Loop read the journal: so the
// same words work with and without a running process. All methods may be called from any goroutine.
type Loop struct {
	cfg    Config
	engine *engine.Engine // only Run uses it

	kick chan struct{} // has room for one: something is to be looked at anew

	mu     sync.Mutex // guards what follows
	hints  *hint.Queue
	status Status
	watch  Watch
	woken  bool // the journal's state may have changed
	urgent bool // do not wait for the next probe
	quiet  bool // the remote is away, or was at the last attempt: to look at the source is no change of state
	// sleepsTill is when Run goes on by itself; zero: it is at work, and looks at the hints afterwards.
	sleepsTill time.Time
}

const (
	defaultInterval = time.Hour
	defaultProbeMin = time.Second
	defaultProbeMax = time.Minute
	// flushAfter is how long a local remote waits for more before it is flushed.
	flushAfter = 2 * time.Second
	// flushAtLast is how long a local remote waits at most: there may always be more.
	flushAtLast = time.Minute
	// interruptAfter is how long steps are executed before new changes may have the rest planned anew.
	interruptAfter = 5 * time.Second
	// sourceProbe is the longest pause between looks at a source, or the disk of a remote, that is not there: a look
	// costs nothing.
	sourceProbe = 5 * time.Second
	// mountScan is how soon everything is looked at again while deletes are held because of what is
	// mounted inside the source.
	mountScan = 5 * time.Minute
	// rest is how many times as long as a look at everything took the Loop waits before the next one, if too much is
	// pending to look at a part.
	rest = 10
)

// New returns a Loop. Its Engine is its own.
func New(cfg Config) (*Loop, error) {
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.ProbeMin <= 0 {
		cfg.ProbeMin = defaultProbeMin
	}
	if cfg.ProbeMax <= 0 {
		cfg.ProbeMax = defaultProbeMax
	}
	l := &Loop{
		cfg: cfg, kick: make(chan struct{}, 1),
		hints:  hint.NewQueue(cfg.Settle, cfg.SettleMax, cfg.DeleteDelay),
		status: Status{State: Stopped, Why: "not started yet"},
	}
	observe := cfg.Engine.Observe
	cfg.Engine.Observe = func(ev event.Event) {
		l.observe(ev)
		if observe != nil {
			observe(ev)
		}
	}
	cfg.Engine.Staying = true
	e, err := engine.New(cfg.Engine)
	if err != nil {
		return nil, err
	}
	l.cfg.Engine, l.engine = e.Config(), e
	return l, nil
}

// Hint says where to look. It is quick.
func (l *Loop) Hint(h hint.Hint) {
	l.mu.Lock()
	l.hints.Add(h, l.now())
	early := l.hints.Next().Before(l.sleepsTill)
	l.mu.Unlock()
	if early {
		l.wakeUp()
	}
}

// Sync has everything looked at now, and a remote that is away asked again at once.
func (l *Loop) Sync() {
	l.mu.Lock()
	l.hints.All(l.now())
	l.urgent = true
	l.mu.Unlock()
	l.wakeUp()
}

// Wake has the journal's state read again: somebody paused, resumed or approved.
func (l *Loop) Wake() {
	l.mu.Lock()
	l.woken, l.urgent = true, true
	l.mu.Unlock()
	l.wakeUp()
}

// Status returns how things stand.
func (l *Loop) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	s.Hints, s.Oldest = l.hints.Count()
	s.Transfers, s.Due = l.engine.Concurrency(), l.sleepsTill
	if l.watch != nil {
		s.Watch = l.watch.Health()
	}
	return s
}

func (l *Loop) now() time.Time { return l.cfg.Engine.Now() }

func (l *Loop) wakeUp() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// Run watches and catches up until ctx is done, and then returns the error of ctx; waiting does not mend any other error: the
// journal is damaged, say. The steps under way are given up, as by a crash.
func (l *Loop) Run(ctx context.Context) error {
	err := errors.Join((&runner{Loop: l}).run(ctx), l.engine.Close())
	why := "it was told to stop; 'snapsync run' goes on"
	if ctx.Err() == nil {
		why = "an error that waiting does not mend"
	}
	l.enter(Stopped, why, time.Time{})
	return err
}

// enter changes the state. Since stays if only the reason changes.
func (l *Loop) enter(state State, why string, next time.Time) {
	l.mu.Lock()
	changed := l.status.State != state
	if changed {
		l.status.State, l.status.Since = state, l.now()
	}
	l.status.Why, l.status.Next = why, next
	l.mu.Unlock()
	if changed {
		l.cfg.Engine.Observe(event.Event{Type: event.StateChanged, Text: string(state)})
	}
}

// observe keeps the state in step with what the Engine does.
func (l *Loop) observe(ev event.Event) {
	if ev.Type != event.Phase {
		return
	}
	switch ev.Text {
	case "scanning", "hashing":
		l.mu.Lock()
		quiet := l.quiet
		l.mu.Unlock()
		if !quiet {
			l.enter(Scanning, "the source is being looked at", time.Time{})
		}
	case "transferring", "recovering", "listing the remote":
		l.enter(Syncing, ev.Text, time.Time{})
	}
}
