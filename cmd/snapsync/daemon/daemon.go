// Package daemon is `run` without --once: a process that keeps mappings true until it is told to stop.
//
//	daemon.go     start and end
//	supervise.go  one mapping, in a failure domain of its own
//	status.go     how it stands
//	report.go     what is told about it: events, log, terminal
//	events.go     the objects of the event feed
//	host.go       what the control socket asks for
//	serve.go      the control socket and the port for metrics
//	reload.go     the configuration, read again
//	slots.go      steps of all mappings together
//	drain.go      uploads under way that may end by themselves
//	metrics.go    figures for Prometheus
//	view.go       the live view on a terminal
//	watch.go      file-system events become hints of the loop
//	age.go        files that are too young become hints when they are old enough
//	reach.go      whether the remote's servers take calls
//	sdnotify.go   what the service manager is told
//
// What the package guarantees: whatever one mapping meets, the others do not notice; a reload that is refused changes nothing; the end
// takes no longer than mapping.DrainTime, and what was under way is written down. What the mappings are is left to Config.Load,
// what a person decides to package steer.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/engine/loop"
)

// process is the process that stays, with what all its mappings share. process implements control.Host.
type process struct {
	Config
	newLoop func(loop.Config) (mappingLoop, error) // loop.New, but for tests
	started time.Time
	socket  string // where it can be asked; "": nowhere
	slots   *slots // steps of all mappings together
	feed    *control.Feed
	metrics *metrics
	manager *sdnotify
	end     ending
	lines   outLines

	// steer is held while the set of mappings changes, and guards Process and port.
	steer sync.Mutex
	port  *metricsPort // nil: there is none
	kept  set
}

// Config is what a process that stays needs.
type Config struct {
	*settings.Resolver
	*console.Printer
	Flags   *settings.ProcessFlags
	Process *settings.Process               // what is in force; nil: a reload leaves it as it is
	Load    func() ([]settings.Spec, error) // the mappings that are wanted
	Screen  *console.Screen                 // where log lines and the live view are drawn
	Lines   *console.LogLines
	Program string // its version
}

// ending is how the process comes to its end.
type ending struct {
	drain drain           // of uploads under way
	halt  func()          // begins to drain
	work  context.Context // of the mappings; it ends after halt
	hurry chan struct{}   // closed when somebody does not want to wait for the end
}

// set is the mappings that are kept true, in the order of the configuration.
type set struct {
	mu  sync.Mutex
	all []*supervisor
}

func (s *set) list() []*supervisor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func (s *set) replace(all []*supervisor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = all
}

// outLines writes to stdout one line at a time, unless a live view has the terminal.
type outLines struct {
	mu     sync.Mutex
	viewed bool
}

const (
	feedSize   = 2048             // events that a reader may fall behind
	firstLimit = 20 * time.Second // for what mappings need before they are watched
	uploadTime = 7 * time.Second  // of these, for uploads under way
	replyTime  = time.Second      // of these, for requests under way on the socket
	viewTime   = time.Second      // for the last frame of a live view
)

// Run keeps the mappings true until the process is told to stop, by a signal or over the socket. It
// returns nil if everything ended in good order.
func Run(cfg Config) error {
	d, err := newDaemon(cfg)
	if err != nil {
		return err
	}
	return d.run()
}

func newDaemon(cfg Config) (*process, error) {
	size, err := cfg.Flags.Slots(nil)
	if err != nil {
		return nil, err
	}
	d := &process{
		Config: cfg, slots: newSlots(size), started: time.Now(), feed: control.NewFeed(feedSize), manager: newSdnotify(cfg.Log),
		end:     ending{hurry: make(chan struct{})},
		newLoop: func(c loop.Config) (mappingLoop, error) { return loop.New(c) },
	}
	d.metrics = newMetrics(d)
	return d, nil
}

func (d *process) run() error {
	specs, err := d.Load()
	if err != nil {
		return err
	}
	size, err := d.Flags.Slots(specs)
	if err != nil {
		return err
	}
	d.slots.resize(size)
	defer d.slots.close()
	signals := make(chan os.Signal, 4) // before anybody can know that there is a process to send them to
	defer steeringSignals(signals)()
	asked, halt := context.WithCancel(d.Ctx)
	defer halt()
	d.end.halt = halt
	// The mappings live longer than what asks for their end: see drain.
	work, cancel := context.WithCancel(context.WithoutCancel(d.Ctx))
	defer cancel()
	d.end.work = work
	d.steer.Lock() // who asks for a reload already waits
	stopServing, err := d.serve(d.Flags.MetricsAddr)
	if err != nil {
		d.steer.Unlock()
		return err
	}
	defer stopServing()
	var all []*supervisor
	for _, sp := range specs {
		all = append(all, d.start(work, sp, len(specs) == 1))
	}
	d.kept.replace(all)
	d.steer.Unlock()
	if err := d.first(asked); err != nil {
		cancel()
		return errors.Join(err, d.wait(mapping.DrainTime))
	}
	d.manager.Ready()
	closeView := d.openView()
	defer closeView()
	alive := make(chan struct{})
	go func() {
		defer close(alive)
		d.manager.Watchdog(asked, d.alive)
	}()
	d.follow(asked, signals)
	<-alive
	return d.shutDown(cancel)
}

// first waits until each mapping was tried to be opened, at most firstLimit: a file system may not answer. Returned is what
// keeps the only mapping from being opened. Several mappings are each on their own, unless another process has them all.
func (d *process) first(ctx context.Context) error {
	all, locked := d.kept.list(), error(nil)
	taken := 0
	limit, end := context.WithTimeout(ctx, firstLimit)
	defer end()
	for _, u := range all {
		select {
		case <-u.tried:
		case <-limit.Done():
		}
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-u.tried:
		default:
			u.log().Warn("it does not answer: is a file system that it needs gone?")
			continue
		}
		switch err := u.first; {
		case err == nil:
			d.line(u, "watching "+u.what())
		case len(all) == 1:
			return err
		case exit.Of(err).Status == exit.StatusLocked:
			taken, locked = taken+1, err
		}
	}
	if taken == len(all) {
		return locked
	}
	return nil
}

// follow does what signals ask for until ctx is done.
func (d *process) follow(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			d.signalled(ctx, s)
		}
	}
}

func (d *process) signalled(ctx context.Context, s os.Signal) {
	switch what := meaning(s); what {
	case control.Stop:
		d.end.halt()
	case control.Sync:
		for _, u := range d.kept.list() {
			u.syncNow()
		}
	case control.Reload:
		if err := d.Lines.Reopen(); err != nil {
			d.Log.Error(err.Error())
		}
		if out, err := d.reload(); err != nil {
			f := exit.Of(err)
			d.Log.Error("not reloaded, everything goes on as before: "+err.Error(), "hint", f.Hint)
		} else {
			d.Log.Log(ctx, console.LevelNotice, out.Text)
		}
	}
}

// shutDown ends everything: nothing is begun, uploads under way have some time left, what was done is
// written down.
func (d *process) shutDown(cancel func()) error {
	d.manager.Stopping()
	d.Log.Info("stopping")
	d.end.drain.start(uploadTime)
	for _, u := range d.kept.list() {
		u.leaving()
	}
	cancel()
	return d.wait(mapping.DrainTime - replyTime)
}

// wait waits for all mappings to end.
func (d *process) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, u := range d.kept.list() {
		select {
		case <-u.done:
		case <-d.end.hurry:
			return &exit.Failure{Status: exit.StatusInterrupted, Err: exit.ErrInterrupted, Hint: "what was done is recorded; the next run continues"}
		case <-timer.C:
			return &exit.Failure{
				Status: exit.StatusInterrupted, Err: fmt.Errorf("%s did not end within %v", u.label, limit),
				Hint: "what was done is recorded; the next run continues",
			}
		}
	}
	return nil
}

func (d *process) several() bool { return len(d.kept.list()) > 1 }

// alive returns nil if every loop answers, took the turn that was due, and is reported on; it hangs where one does not answer: see
// sdnotify.Watchdog. A server or a file system that hangs is no reason: the loop waits for it, and a new process would as well.
func (d *process) alive() error {
	now := time.Now()
	for _, u := range d.kept.list() {
		if err := u.stuck(now); err != nil {
			return fmt.Errorf("%s: %w", u.label, err)
		}
	}
	return nil
}

// tellManager tells the service manager in a line how things stand.
func (d *process) tellManager() {
	count := map[string]int{}
	for _, u := range d.kept.list() {
		count[u.word()]++
	}
	var parts []string
	for state, n := range count {
		parts = append(parts, fmt.Sprintf("%d %s", n, state))
	}
	slices.Sort(parts)
	d.manager.Status(strings.Join(parts, ", "))
}

// line prints what a person wants to know of a mapping, unless a view shows it.
func (d *process) line(u *supervisor, text string) {
	if d.JSON || d.Quiet {
		return
	}
	if d.several() {
		text = u.label + ": " + text
	}
	d.lines.mu.Lock()
	defer d.lines.mu.Unlock()
	if !d.lines.viewed {
		fmt.Fprintf(d.Out, "snapsync: %s\n", text)
	}
}
