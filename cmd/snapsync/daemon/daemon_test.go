package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// fakeLoop runs until it is told to stop or to fail. It complains when it is run twice.
type fakeLoop struct {
	config loop.Config
	fail   chan error

	mu      sync.Mutex
	status  loop.Status
	running bool
	calls   []string
}

func (l *fakeLoop) Run(ctx context.Context) error {
	l.mu.Lock()
	if l.running {
		panic("a loop was run twice")
	}
	l.running = true
	l.mu.Unlock()
	select {
	case err := <-l.fail:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *fakeLoop) Status() loop.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

func (l *fakeLoop) call(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, name)
}

func (l *fakeLoop) called() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.calls, " ")
}

func (l *fakeLoop) Sync()        { l.call("sync") }
func (l *fakeLoop) Wake()        { l.call("wake") }
func (l *fakeLoop) Retry() error { l.call("retry"); return nil }

// enter changes the state as an loop.Loop does.
func (l *fakeLoop) enter(state loop.State, why string) {
	l.mu.Lock()
	l.status.State, l.status.Why, l.status.Since = state, why, time.Now()
	l.mu.Unlock()
	l.config.Engine.Observe(event.Event{Type: event.StateChanged, Text: string(state)})
}

// daemonRig is a daemon with loops that do nothing, in this process.
type daemonRig struct {
	t      *testing.T
	d      *process
	dir    string
	stdout *lockedBuffer
	halt   func()
	ended  chan error

	mu    sync.Mutex
	specs []settings.Spec
	loops map[string][]*fakeLoop // by source, in the order in which they were started
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newDaemonRig starts a daemon with a mapping for each name. Whatever it starts has ended with the test.
func newDaemonRig(t *testing.T, names ...string) *daemonRig {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", "")
	dir, err := os.MkdirTemp("", "ctl") // short: there is a socket in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &daemonRig{t: t, dir: dir, stdout: &lockedBuffer{}, ended: make(chan error, 1), loops: map[string][]*fakeLoop{}}
	for _, name := range names {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		r.specs = append(r.specs, r.spec(name))
	}
	ctx, halt := context.WithCancel(t.Context())
	r.halt = halt
	p := &console.Printer{Out: r.stdout, Err: io.Discard, JSON: true}
	res := &settings.Resolver{
		Globals: &settings.Globals{StateDir: filepath.Join(dir, "state"), Mappings: filepath.Join(dir, "none"), JSON: true},
		Ctx:     ctx, Printer: p, Log: slog.New(slog.DiscardHandler),
	}
	if err := res.StartRclone(); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent() // rclone has some of its own
	r.d, err = newDaemon(Config{Resolver: res, Printer: p, Load: r.load, Flags: &settings.ProcessFlags{}, Screen: &console.Screen{Out: io.Discard}})
	if err != nil {
		t.Fatal(err)
	}
	r.d.newLoop = r.newLoop
	go func() { r.ended <- r.d.run() }()
	t.Cleanup(func() {
		halt()
		select {
		case <-r.ended:
		case <-time.After(20 * time.Second):
			t.Error("it does not end")
		}
		goleak.VerifyNone(t, before)
	})
	return r
}

func (r *daemonRig) spec(name string) settings.Spec {
	return settings.Spec{
		Name: name, Src: filepath.Join(r.dir, name), Target: settings.Target{Remote: filepath.Join(r.dir, name+".remote")},
		TransferFlags: settings.TransferFlags{Retries: 3},
	}
}

func (r *daemonRig) load() ([]settings.Spec, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]settings.Spec(nil), r.specs...), nil
}

func (r *daemonRig) newLoop(c loop.Config) (mappingLoop, error) {
	l := &fakeLoop{config: c, fail: make(chan error, 1), status: loop.Status{State: loop.Idle}}
	name := filepath.Base(c.Engine.Scan.Root)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loops[name] = append(r.loops[name], l)
	return l, nil
}

// keeper waits for the n-th loop of a mapping, from 1, to run.
func (r *daemonRig) loop(name string, n int) *fakeLoop {
	r.t.Helper()
	var found *fakeLoop
	r.until("loop "+name, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if all := r.loops[name]; len(all) >= n {
			found = all[n-1]
			found.mu.Lock()
			defer found.mu.Unlock()
			return found.running
		}
		return false
	})
	return found
}

func (r *daemonRig) until(what string, is func() bool) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain for %s; stdout:\n%s", what, r.stdout.String())
		}
	}
}

func (r *daemonRig) status(name string) status.Status {
	r.t.Helper()
	all, err := r.d.Status(r.t.Context(), name)
	if err != nil || len(all) != 1 {
		r.t.Fatalf("status of %s: %v, %v", name, all, err)
	}
	return all[0]
}

func (r *daemonRig) do(c control.Command) (control.Outcome, error) {
	return r.d.Do(r.t.Context(), c)
}

// --approve is for the first loop: another that begins later, for whatever reason, would let through what
// nobody has seen.
func TestDaemonApprovesOnce(t *testing.T) {
	r := newDaemonRig(t, "two")
	r.loop("two", 1)
	if err := os.Mkdir(filepath.Join(r.dir, "one"), 0o700); err != nil {
		t.Fatal(err)
	}
	sp := r.spec("one")
	sp.Approve = true
	r.mu.Lock()
	r.specs = append(r.specs, sp)
	r.mu.Unlock()
	if _, err := r.do(control.Command{Name: control.Reload}); err != nil {
		t.Fatal(err)
	}
	one := r.loop("one", 1)
	one.enter(loop.Syncing, "")
	if _, err := r.do(control.Command{Name: control.Pause, Mapping: "one"}); err != nil {
		t.Fatal(err)
	}
	r.loop("one", 2).fail <- errors.New("the disk is full")
	r.until("the error", func() bool { return r.status("one").LastError != "" })
	if _, err := r.do(control.Command{Name: control.Sync, Mapping: "one"}); err != nil {
		t.Fatal(err)
	}
	for n, want := range []bool{true, false, false} {
		if got := r.loop("one", n+1).config.Engine.Approve; got != want {
			t.Errorf("loop %d: approve %v, want %v", n+1, got, want)
		}
	}
}

// A mapping whose loop fails is begun again; the other one does not notice.
func TestDaemonFailureDomains(t *testing.T) {
	r := newDaemonRig(t, "one", "two")
	two := r.loop("two", 1)
	r.loop("one", 1).fail <- errors.New("the journal is damaged")
	r.until("the error", func() bool { return r.status("one").LastError != "" })
	if st := r.status("one"); !strings.Contains(st.LastError, "damaged") || st.Live == nil || st.Live.Next == nil || st.Why == "" {
		t.Errorf("status of the one that failed: %+v", st)
	}
	if st := r.status("two"); st.State != "idle" || st.PID != os.Getpid() {
		t.Errorf("status of the other: %+v", st)
	}
	if _, err := r.do(control.Command{Name: control.Sync, Mapping: "one"}); err != nil {
		t.Error(err)
	}
	r.loop("one", 2)
	r.until("idle", func() bool { return r.status("one").State == "idle" })
	if r.mu.Lock(); len(r.loops["two"]) != 1 || two.called() != "" {
		t.Errorf("the other mapping: %d loops, told %q", len(r.loops["two"]), two.called())
	}
	r.mu.Unlock()
}

// A source that is not there keeps its mapping waiting, not the process.
func TestDaemonWaitsForASource(t *testing.T) {
	r := newDaemonRig(t, "one", "two")
	r.loop("one", 1)
	r.loop("two", 1)
	r.mu.Lock()
	r.specs = append(r.specs, r.spec("three"))
	r.mu.Unlock()
	if _, err := r.do(control.Command{Name: control.Reload}); err != nil {
		t.Fatal(err)
	}
	r.until("the error", func() bool { return strings.Contains(r.status("three").LastError, "does not exist") })
	_, err := r.do(control.Command{Name: control.Pause, Mapping: "three"})
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Exit != exit.StatusNoSource || e.Code != http.StatusConflict {
		t.Errorf("pause of what does not run: %v", err)
	}
	if err := os.Mkdir(filepath.Join(r.dir, "three"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := r.do(control.Command{Name: control.Sync, Mapping: "three"}); err != nil {
		t.Fatal(err)
	}
	r.loop("three", 1)
}

// Reload ends what is gone, begins what is new or changed, and leaves the rest alone.
func TestDaemonReload(t *testing.T) {
	r := newDaemonRig(t, "same", "gone", "other")
	same := r.loop("same", 1)
	r.loop("gone", 1)
	r.loop("other", 1)
	if err := os.Mkdir(filepath.Join(r.dir, "new"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.specs = []settings.Spec{r.spec("other"), r.spec("same"), r.spec("new")}
	r.specs[0].Settle = time.Minute
	r.mu.Unlock()
	out, err := r.do(control.Command{Name: control.Reload})
	if err != nil || !strings.Contains(out.Text, "1 mapping as before, 2 started, 2 ended") {
		t.Fatalf("reload: %+v, %v", out, err)
	}
	if l := r.loop("other", 2); l.config.Settle != time.Minute {
		t.Errorf("the changed mapping has settle %v", l.config.Settle)
	}
	r.loop("new", 1)
	all, err := r.d.Status(t.Context(), "")
	if err != nil || len(all) != 3 || all[0].Mapping != "other" || all[2].Mapping != "new" {
		t.Errorf("status: %v, %v", all, err)
	}
	if r.mu.Lock(); len(r.loops["same"]) != 1 || len(r.loops["gone"]) != 1 || same.Status().State != loop.Idle {
		t.Error("the mapping that did not change was touched")
	}
	r.mu.Unlock()
}

// What a person says is in the journal before the loop is told to look.
func TestDaemonCommands(t *testing.T) {
	r := newDaemonRig(t, "one")
	l := r.loop("one", 1)
	state := func() journal.State {
		s, err := l.config.Engine.Journal.State()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	must := func(c control.Command) control.Outcome {
		t.Helper()
		out, err := r.do(c)
		if err != nil || len(out.Mappings) != 1 {
			t.Fatalf("%s: %+v, %v", c.Name, out, err)
		}
		return out
	}
	if must(control.Command{Name: control.Pause}); !state().Paused || l.called() != "wake" {
		t.Errorf("pause: %v, told %q", state().Paused, l.called())
	}
	if must(control.Command{Name: control.Resume, Mapping: "one"}); state().Paused {
		t.Error("still paused")
	}
	l.enter(loop.Syncing, "transferring")
	must(control.Command{Name: control.Pause})
	l = r.loop("one", 2) // what was under way was given up
	if st := r.status("one"); st.State != "paused" {
		t.Errorf("state %s, want paused", st.State)
	}
	must(control.Command{Name: control.Resume, Mapping: "one"})
	must(control.Command{Name: control.Retry})
	if out := must(control.Command{Name: control.Sync}); l.called() != "wake retry sync" || out.Cycle != 1 {
		t.Errorf("told %q, cycle %d", l.called(), out.Cycle)
	}
	err := journal.Update(l.config.Engine.Journal, func(s *journal.EngineState) { s.HeldDigest = "h1" })
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.do(control.Command{Name: control.Approve, Digest: "h0"})
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Exit != exit.StatusHeld || state().ApprovedDigest != "" {
		t.Errorf("approval of what was held before: %v", err)
	}
	if must(control.Command{Name: control.Approve, Digest: "h1"}); state().ApprovedDigest != "h1" {
		t.Errorf("approved %q", state().ApprovedDigest)
	}
	if must(control.Command{Name: control.Approve, NewSource: true}); !state().NewSourceApproved {
		t.Error("the source is not approved")
	}
	if s := state(); s.PID != os.Getpid() || s.Started.IsZero() {
		t.Errorf("process %d since %v", s.PID, s.Started)
	}
	if _, err := r.do(control.Command{Name: control.Sync, Mapping: "two"}); err == nil {
		t.Error("a mapping that is not there was synced")
	}
	if _, err := r.do(control.Command{Name: control.Stop}); err != nil {
		t.Error(err)
	}
	err = <-r.ended
	if r.ended <- err; err != nil {
		t.Errorf("it ended with %v", err)
	}
	m, err := mapping.Store{Root: filepath.Join(r.dir, "state")}.At(filepath.Join(r.dir, "one"), filepath.Join(r.dir, "one.remote"))
	if err != nil {
		t.Fatal(err)
	}
	if st, err := status.Of(m); err != nil || st.PID != 0 {
		t.Errorf("afterwards: %+v, %v", st, err)
	}
}

// States, steps and cycles come as events, in order, and as lines of --json.
func TestDaemonEvents(t *testing.T) {
	r := newDaemonRig(t, "one")
	l := r.loop("one", 1)
	l.enter(loop.Offline, "no network")
	r.until("offline", func() bool { return strings.Contains(r.stdout.String(), `"state":"offline"`) })
	step := &journal.Step{Action: journal.Delete, Path: "x", Reason: journal.Deleted}
	l.config.Engine.Observe(event.Event{Type: event.StepDone, Step: step})
	l.config.Engine.Observe(event.Event{Type: event.StepDone, Step: step, Err: remote.ErrQuota})
	l.mu.Lock()
	l.status.Cycles, l.status.Err, l.status.ErrKind = 2, "no network", "offline"
	l.mu.Unlock()
	l.enter(loop.Idle, "all is well")
	r.until("idle", func() bool { return strings.Contains(r.stdout.String(), `"state":"idle","since"`) })
	seen := ""
	for line := range strings.Lines(r.stdout.String()) {
		var e struct{ Type, State, Action, Error, Class string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		seen += strings.Join(strings.Fields(e.Type+" "+e.State+" "+e.Action+" "+e.Class), " ") + "\n"
	}
	want := "state offline\nstep delete\nstep delete quota\ncycle\nerror offline\nstate idle\n"
	if !strings.HasSuffix(seen, want) {
		t.Errorf("got:\n%swant at the end:\n%s", seen, want)
	}
	w := httptest.NewRecorder()
	r.d.metrics.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`snapsync_state{mapping="one",state="idle"} 1`, `snapsync_state{mapping="one",state="offline"} 0`,
		`snapsync_steps_total{action="delete",mapping="one"} 1`, `snapsync_errors_total{class="quota",mapping="one"} 1`,
		`snapsync_errors_total{class="offline",mapping="one"} 1`, `snapsync_cycles_total{mapping="one"} 2`,
		`snapsync_lag_seconds{mapping="one"} 0`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

// What keeps the only mapping from being opened ends the process, with its status.
func TestDaemonOnlyMappingMustOpen(t *testing.T) {
	r := newDaemonRig(t)
	r.halt()
	<-r.ended
	r.ended <- nil
	r.specs = []settings.Spec{r.spec("missing")}
	cfg, resolver := r.d.Config, *r.d.Resolver
	cfg.Resolver, resolver.Ctx = &resolver, t.Context()
	d, err := newDaemon(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.newLoop = r.newLoop
	if err := d.run(); exit.Of(err).Status != exit.StatusNoSource {
		t.Errorf("ended with %v, want a source that is not there", err)
	}
}

// A mapping that does not end holds up the process for a while, not for ever.
func TestDaemonWaitIsBounded(t *testing.T) {
	stuck := &supervisor{label: "stuck", done: make(chan struct{})}
	d := &process{kept: set{all: []*supervisor{stuck}}, end: ending{hurry: make(chan struct{})}}
	if err := d.wait(20 * time.Millisecond); exit.Of(err).Status != exit.StatusInterrupted || !strings.Contains(err.Error(), "stuck") {
		t.Errorf("got %v", err)
	}
	close(d.end.hurry)
	begun := time.Now()
	if err := d.wait(time.Minute); exit.Of(err).Status != exit.StatusInterrupted || time.Since(begun) > 10*time.Second {
		t.Errorf("in a hurry: %v", err)
	}
}

func TestGrace(t *testing.T) {
	var g drain
	ctx, cancel := context.WithCancel(t.Context())
	longer, done := g.extend(ctx)
	defer done()
	cancel()
	select {
	case <-longer.Done():
	case <-time.After(10 * time.Second):
		t.Error("without grace it goes on")
	}
	ctx, cancel = context.WithCancel(t.Context())
	longer, done = g.extend(ctx)
	defer done()
	g.start(300 * time.Millisecond)
	begun := time.Now()
	cancel()
	<-longer.Done()
	if took := time.Since(begun); took < 200*time.Millisecond || took > 10*time.Second {
		t.Errorf("the grace lasted %v", took)
	}
}
