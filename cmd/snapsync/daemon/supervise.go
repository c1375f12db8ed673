package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/backoff"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// supervisor keeps one mapping true, in a failure domain of its own: whatever it meets, it says so, waits
// and begins again, and nobody else notices.
//
//	prepare   what the flags mean; the source must be there
//	open      lock and journal
//	run       the engine's loop, until it cannot go on by waiting
//	close     journal and lock; then all over again after a pause
type supervisor struct {
	d     *process
	spec  settings.Spec
	made  string // of what else it is made, see settings.Resolver.MadeOf; "": that could not be told
	label string // what people call it: its name in the config file, else its source
	only  bool   // if it cannot even be opened, the process ends with why
	ran   bool   // a loop has run; only live uses it

	stop  func()        // ends it
	done  chan struct{} // closed when it has ended
	kick  chan struct{} // has room for one: begin again now
	tried chan struct{} // closed when the first attempt to prepare and open has ended
	first error         // how; to be read after that

	mu sync.Mutex // guards current
	current
}

// current is how far the attempt to keep a mapping true has come.
type current struct {
	mapping  *mapping.Mapping // nil: not prepared yet
	opening  bool             // the journal: see open
	session  *mapping.Session // nil: not open
	loop     mappingLoop      // nil: not running
	activity *status.Activity // of the loop
	giveUp   func()           // ends what the loop has under way
	reported time.Time        // when its reporter last looked at the loop
	err      error            // why it is not open or not running; nil: it is, or it has not been tried
	since    time.Time        // when that began
	next     time.Time        // when it is tried again
}

// mappingLoop is what the daemon needs of a loop.Loop.
type mappingLoop interface {
	Run(ctx context.Context) error
	Status() loop.Status
	Sync()
	Wake()
	Retry() error
	RetryPaths(paths []string) error
}

// restarts are the pauses between attempts to begin again, before jitter.
var restarts = backoff.Pauses{First: time.Second, Max: 5 * time.Minute}

// steady is how long a loop must have run for the pauses to start small again.
const steady = time.Minute

// start begins to keep a mapping true until ctx is done or stop is called.
func (d *process) start(ctx context.Context, sp settings.Spec, only bool) *supervisor {
	ctx, stop := context.WithCancel(ctx)
	u := &supervisor{
		d: d, spec: sp, label: sp.Name, only: only, stop: stop, current: current{since: time.Now()},
		done: make(chan struct{}), kick: make(chan struct{}, 1), tried: make(chan struct{}),
	}
	if made, err := d.MadeOf(&sp); err == nil { // else Prepare says so
		u.made = made
	}
	if u.label == "" {
		source, err := mapping.RealPath(sp.Src)
		if err != nil {
			source = sp.Src
		}
		u.label = text.Path(source)
	}
	go func() {
		defer close(u.done)
		defer stop()
		u.live(ctx)
	}()
	return u
}

func (u *supervisor) live(ctx context.Context) {
	pause := time.Duration(0) // before jitter
	for n := 1; ; n++ {
		begun := time.Now()
		opened, err := u.attend(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				u.log().Error(err.Error())
			}
			return
		}
		if u.only && n == 1 && !opened {
			return // first says it
		}
		if time.Since(begun) > steady {
			pause = 0
		}
		pause = restarts.Next(pause)
		wait := backoff.Jitter(pause)
		u.failed(err, wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-u.kick:
			pause = 0
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// failed makes it known that the mapping is not kept true for now. The same error again is not news.
func (u *supervisor) failed(err error, wait time.Duration) {
	if err == nil {
		err = errors.New("it ended by itself")
	}
	next := time.Now().Add(wait)
	u.mu.Lock()
	same := u.err != nil && u.err.Error() == err.Error()
	if u.err == nil {
		u.since = time.Now()
	}
	u.err, u.next = err, next
	u.mu.Unlock()
	if same {
		return
	}
	f := exit.Of(err)
	hint := f.Hint
	u.log().Error("not kept up to date: "+err.Error(), "hint", hint, "again_in", wait.Round(time.Millisecond))
	u.d.publish("error", u.id(), errorEvent{
		eventHead: head("error", u.id()), Error: err.Error(), Hint: hint, Next: text.JSONTime(next),
	})
	u.d.tellManager()
}

// attend keeps the mapping true once, until that ends.
func (u *supervisor) attend(ctx context.Context) (opened bool, err error) {
	config, err := u.open(ctx)
	select {
	case <-u.tried: // only the first attempt is waited for
	default:
		u.first = err
		close(u.tried)
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(u.run(ctx, config), u.close())
}

// open finds out what the flags mean, and takes the mapping for this process.
func (u *supervisor) open(ctx context.Context) (config engine.Config, err error) {
	sp := u.spec // a copy: what is found out is not part of it
	m, config, err := u.d.Prepare(&sp)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return config, err
	}
	// Nobody of this process may read the journal while it is opened: connections of one process share
	// the index of the write-ahead log, and a reader that was first would make the writer read-only.
	u.mu.Lock()
	u.mapping, u.opening = m, true
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		u.opening = false
		u.mu.Unlock()
	}()
	s, err := m.Open(u.d.Ctx, mapping.Holder{Socket: u.d.socket})
	if err != nil {
		return config, err
	}
	err = settings.Remember(s, &sp.SyncFlags)
	if err == nil {
		err = journal.Update(s.Journal, func(st *journal.ProcessState) { st.Started, st.PID = time.Now(), os.Getpid() })
	}
	if err != nil {
		return config, errors.Join(err, s.Close())
	}
	config.Journal = s.Journal
	config.Approve = config.Approve && !u.ran // it is for what was held when the process was started
	u.mu.Lock()
	u.session = s
	u.mu.Unlock()
	return config, nil
}

// leaving lets who wants the mapping know that it is free in a moment.
func (u *supervisor) leaving() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return
	}
	if err := u.session.Lock.Announce(mapping.Holder{Socket: u.d.socket, Transient: true}); err != nil {
		u.d.Log.Debug("cannot say that the mapping is free in a moment", "err", err)
	}
}

// close lets others have the mapping. A crash before it leaves a process number in the state that no
// lock confirms.
func (u *supervisor) close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.session
	u.session = nil
	err := journal.Update(s.Journal, func(st *journal.ProcessState) { st.PID = 0 })
	return errors.Join(err, s.Close())
}

// run runs the loop. One that is given up because a person paused is followed by another, which finds
// that in the journal and waits.
func (u *supervisor) run(ctx context.Context, config engine.Config) error {
	activity, nudge := status.NewActivity(), make(chan struct{}, 1)
	config.Observe = u.observer(activity, nudge)
	config.Log, config.Slots = u.log(), u.d.slots.all
	connect := config.Connect
	config.Connect = func(ctx context.Context, uploads remote.Uploads) (remote.Connection, error) {
		c, err := connect(ctx, uploads)
		if err != nil {
			return nil, err
		}
		return &drained{c, &u.d.end.drain}, nil
	}
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.loop, u.activity, u.giveUp = nil, nil, nil
	}()
	for {
		l, err := u.d.newLoop(loop.Config{
			Engine: config, Watch: u.watcher(&config),
			Settle: u.spec.Settle, SettleMax: u.spec.SettleMax, DeleteDelay: u.spec.DeleteDelay, Interval: u.spec.Interval,
			ProbeMin: u.spec.ProbeMin, ProbeMax: u.spec.ProbeMax, Pulse: u.remotePulse(),
		})
		if err != nil {
			return err
		}
		paused, giveUp := context.WithCancel(ctx)
		u.mu.Lock()
		u.loop, u.activity, u.giveUp, u.err, u.reported = l, activity, giveUp, nil, time.Now()
		u.mu.Unlock()
		err = u.runLoop(paused, l, activity, nudge)
		u.ran, config.Approve = true, false
		again := paused.Err() != nil && ctx.Err() == nil
		giveUp()
		switch {
		case ctx.Err() != nil:
			return nil // it was told to
		case !again:
			return err
		}
	}
}

// runLoop runs one loop and tells everybody about it.
func (u *supervisor) runLoop(ctx context.Context, l mappingLoop, activity *status.Activity, nudge <-chan struct{}) error {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		u.report(done, nudge, l, activity)
	}()
	err := l.Run(ctx)
	close(done)
	<-ended
	return err
}

// observer is what the engine tells what it does, from several goroutines. The engine is not kept waiting.
func (u *supervisor) observer(activity *status.Activity, nudge chan<- struct{}) func(event.Event) {
	id, log := u.id(), &console.Observer{Log: u.log(), EmptyDirs: u.spec.CreateEmptySrcDirs}
	return func(ev event.Event) {
		activity.Observe(ev)
		log.Observe(ev)
		u.d.metrics.observe(u.label, ev)
		switch ev.Type {
		case event.StepDone:
			u.publishStep(id, &ev)
		case event.StateChanged:
			select {
			case nudge <- struct{}{}:
			default:
			}
		}
	}
}

func (u *supervisor) publishStep(id string, ev *event.Event) {
	if text.Emptied(ev.Step) && !u.spec.CreateEmptySrcDirs && ev.Err == nil {
		return
	}
	out := stepEvent{Step: text.NewStep(ev.Step), Mapping: id, Time: *text.JSONTime(time.Now())}
	if ev.Err != nil {
		out.Error, out.Class = ev.Err.Error(), remote.Class(ev.Err)
	}
	u.d.publish("step", id, out)
}

// log names the mapping in each line if there are others.
func (u *supervisor) log() *slog.Logger {
	if u.d.several() {
		return u.d.Log.With("mapping", u.label)
	}
	return u.d.Log
}

// id is the mapping's, or what stands for it until it is known.
func (u *supervisor) id() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mapping == nil {
		return u.label
	}
	return u.mapping.ID
}

// what is the mapping in words: its name, source and remote.
func (u *supervisor) what() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mapping == nil {
		return u.label
	}
	return u.mapping.String()
}

// word is the state, without asking the journal. The call hangs if the loop does.
func (u *supervisor) word() string {
	u.mu.Lock()
	l := u.loop
	u.mu.Unlock()
	if l == nil {
		return string(loop.Stopped)
	}
	return string(l.Status().State)
}

// overdueAfter is how late a turn of the loop or of its reporter may be before the watchdog takes it for lost: much longer than a
// machine under load needs.
const overdueAfter = time.Minute

// stuck says what should have happened by now and did not. The call hangs if the loop does not answer.
func (u *supervisor) stuck(now time.Time) error {
	u.mu.Lock()
	l, reported := u.loop, u.reported
	u.mu.Unlock()
	if l == nil {
		return nil
	}
	if due := l.Status().Due; !due.IsZero() && now.Sub(due) > overdueAfter {
		return fmt.Errorf("its loop did not go on when that was due, %v ago", now.Sub(due).Round(time.Second))
	}
	if late := now.Sub(reported) - reportRest; late > overdueAfter {
		return fmt.Errorf("nothing was told about it for %v", now.Sub(reported).Round(time.Second))
	}
	return nil
}

// syncNow has everything looked at now.
func (u *supervisor) syncNow() {
	u.mu.Lock()
	l := u.loop
	u.mu.Unlock()
	if l != nil {
		l.Sync()
		return
	}
	u.again()
}

// again has it begin again now, if it waits for that.
func (u *supervisor) again() {
	select {
	case u.kick <- struct{}{}:
	default:
	}
}

// apply writes what a person decides into the journal, and has the loop look at it. Whoever pauses wants the
// network, or the disk, now: that ends what is under way, too.
func (u *supervisor) apply(c control.Command) (text string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return "", u.absent()
	}
	out, err := steer.Apply(u.session, c, true)
	if err != nil || u.loop == nil {
		return out.Text, err
	}
	u.loop.Wake()
	if c.Name == control.Pause && working(u.loop.Status().State) {
		u.giveUp()
	}
	return out.Text, nil
}

// paused reports whether a person paused it.
func (u *supervisor) paused() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return false
	}
	state, err := u.session.Journal.State()
	return err == nil && state.Paused
}

// absent is the error of a command for a mapping that is not open. The caller holds the lock.
func (u *supervisor) absent() error {
	if u.d.end.drain.begun() {
		return &control.Error{
			Code: http.StatusServiceUnavailable, Message: u.label + " is being stopped", Remedy: "try again in a moment", Exit: exit.StatusTemporary,
		}
	}
	if u.err == nil {
		return &control.Error{Code: 409, Message: u.label + " is being started", Remedy: "try again in a moment", Exit: exit.StatusTemporary}
	}
	f := exit.Of(u.err)
	return &control.Error{
		Code: 409, Message: fmt.Sprintf("%s is not running: %v", u.label, u.err), Remedy: f.Hint, Exit: f.Status,
	}
}
