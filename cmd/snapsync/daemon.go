package main

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

// daemonProcess is `run` without --once: it keeps mappings true until it is told to stop.
//
//	daemon.go          start and drain
//	daemon_reload.go   the configuration, read again
//	daemon_pool.go     what the mappings share
//	daemon_serve.go    the control socket and the port for metrics
//	daemon_upkeep.go   one mapping
//	daemon_status.go   how it stands
//	daemon_report.go   what is told about it: events, log, terminal
//	daemon_host.go     what the control socket asks for
//	daemon_meters.go   figures for Prometheus
//	daemon_grace.go    uploads that may end by themselves
//	daemon_view.go     the live view on a terminal
//	process.go         how other commands find it
type daemonProcess struct {
	*app
	load    func() ([]settings.Spec, error)        // the mappings that are wanted
	newLoop func(loop.Config) (mappingLoop, error) // loop.New, but for tests
	started time.Time
	pool    *pool // steps of all mappings together
	feed    *control.Feed
	meters  *meters
	notify  *notifier
	grace   grace
	halt    func()          // begins to drain
	work    context.Context // of the mappings; it ends after halt
	hurry   chan struct{}   // closed when somebody does not want to wait for the end
	viewed  bool            // a live view has the terminal; guarded by out
	out     sync.Mutex      // one line of stdout at a time

	// steer is held while the set of mappings changes, and guards what follows.
	steer sync.Mutex
	now   *settings.Process // of the process; nil: a reload leaves them as they are
	port  *metricsPort      // nil: there is none

	mu   sync.Mutex // guards kept
	kept []*upkeep  // in the order of the configuration
}

const (
	feedSize    = 2048             // events that a reader may fall behind
	firstLimit  = 20 * time.Second // for what mappings need before they are watched
	uploadGrace = 7 * time.Second  // of these, for uploads under way
	replyTime   = time.Second      // of these, for requests under way on the socket
)

// stay is `run` without --once.
func (c *runCmd) stay(a *app) error {
	load := func() ([]settings.Spec, error) {
		specs, err := a.Specs(c.spec())
		for i := range specs {
			specs[i].Bwlimit = "" // it is the process's, which may change it while they go on
		}
		return specs, err
	}
	d, err := newDaemon(a, load, &c.ProcessFlags)
	if err != nil {
		return err
	}
	if err := a.LimitBandwidth(c.Bwlimit); err != nil {
		return err
	}
	d.now = &settings.Process{Globals: *a.Globals, ProcessFlags: c.ProcessFlags, Bwlimit: c.Bwlimit}
	return d.run(&c.ProcessFlags)
}

func newDaemon(a *app, load func() ([]settings.Spec, error), f *settings.ProcessFlags) (*daemonProcess, error) {
	size, err := f.PoolSize(nil)
	if err != nil {
		return nil, err
	}
	d := &daemonProcess{
		app: a, load: load, pool: newPool(size), started: time.Now(), feed: control.NewFeed(feedSize), notify: newNotifier(a.Log),
		hurry:   make(chan struct{}),
		newLoop: func(c loop.Config) (mappingLoop, error) { return loop.New(c) },
	}
	d.meters = newMeters(d)
	return d, nil
}

// run keeps the mappings true until the process is told to stop, by a signal or over the socket. It
// returns nil if everything ended in good order.
func (d *daemonProcess) run(f *settings.ProcessFlags) error {
	specs, err := d.load()
	if err != nil {
		return err
	}
	size, err := f.PoolSize(specs)
	if err != nil {
		return err
	}
	d.pool.resize(size)
	defer d.pool.close()
	signals := make(chan os.Signal, 4) // before anybody can know that there is a process to send them to
	defer steeringSignals(signals)()
	asked, halt := context.WithCancel(d.Ctx)
	defer halt()
	d.halt = halt
	// The mappings live longer than what asks for their end: see drain.
	work, cancel := context.WithCancel(context.WithoutCancel(d.Ctx))
	defer cancel()
	d.work = work
	d.steer.Lock() // who asks for a reload already waits
	stopServing, err := d.serve(f.MetricsAddr)
	if err != nil {
		d.steer.Unlock()
		return err
	}
	defer stopServing()
	d.begin(specs)
	d.steer.Unlock()
	if err := d.first(asked); err != nil {
		cancel()
		return errors.Join(err, d.wait(mapping.DrainTime))
	}
	d.notify.Ready()
	closeView := d.openView()
	defer closeView()
	alive := make(chan struct{})
	go func() {
		defer close(alive)
		d.notify.Watchdog(asked, d.alive)
	}()
	d.follow(asked, signals)
	<-alive
	return d.drain(cancel)
}

// first waits until each mapping was tried to be opened, or takes too long to be waited for: its file system may
// not answer. What keeps the only one from that is the error of the process. Several are each on their own, unless another process has them all: it is running.
func (d *daemonProcess) first(ctx context.Context) error {
	all, locked := d.all(), error(nil)
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
		if !u.wasTried() {
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
func (d *daemonProcess) follow(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			d.signalled(ctx, s)
		}
	}
}

func (d *daemonProcess) signalled(ctx context.Context, s os.Signal) {
	switch what := meaning(s); what {
	case control.Stop:
		d.halt()
	case control.Sync:
		for _, u := range d.all() {
			u.syncNow()
		}
	case control.Reload:
		if err := d.lines.Reopen(); err != nil {
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

// begin starts what is wanted. The caller is the only one who changes the set.
func (d *daemonProcess) begin(specs []settings.Spec) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, sp := range specs {
		d.kept = append(d.kept, d.start(d.work, sp, len(specs) == 1))
	}
}

// drain ends everything: nothing is begun, uploads under way have some time left, what was done is
// written down.
func (d *daemonProcess) drain(cancel func()) error {
	d.notify.Stopping()
	d.Log.Info("stopping")
	d.grace.begin(uploadGrace)
	for _, u := range d.all() {
		u.leaving()
	}
	cancel()
	return d.wait(mapping.DrainTime - replyTime)
}

// wait waits for all mappings to end.
func (d *daemonProcess) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, u := range d.all() {
		select {
		case <-u.done:
		case <-d.hurry:
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

// all is the mappings that are kept true.
func (d *daemonProcess) all() []*upkeep {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.kept)
}

func (d *daemonProcess) several() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.kept) > 1
}

// alive is for the watchdog: it returns if every loop answers.
func (d *daemonProcess) alive() error {
	for _, u := range d.all() {
		u.pulse()
	}
	return nil
}

// said tells the service manager in a line how things stand.
func (d *daemonProcess) said(*upkeep) {
	count := map[string]int{}
	for _, u := range d.all() {
		count[u.word()]++
	}
	var parts []string
	for state, n := range count {
		parts = append(parts, fmt.Sprintf("%d %s", n, state))
	}
	slices.Sort(parts)
	d.notify.Status(strings.Join(parts, ", "))
}

// line prints what a person wants to know of a mapping, unless a view shows it.
func (d *daemonProcess) line(u *upkeep, text string) {
	if d.JSON || d.Quiet {
		return
	}
	if d.several() {
		text = u.label + ": " + text
	}
	d.out.Lock()
	defer d.out.Unlock()
	if !d.viewed {
		fmt.Fprintf(d.Out, "snapsync: %s\n", text)
	}
}
