package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("send x: %w", err) }
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {errors.New("x"), 1}, {exit.Usage("", "x"), 2}, {wrap(snapshot.ErrSourceGone), 3},
		{wrap(remote.ErrTemporary), 5}, {wrap(journal.ErrFull), 5}, {wrap(remote.ErrFatal), 7}, {wrap(journal.ErrDamaged), 7},
		{wrap(journal.ErrNewer), 7}, {wrap(engine.ErrNewSource), 22}, {wrap(remote.ErrOffline), 23},
		{wrap(exit.Quiet(exit.StatusHeld)), 21}, {errors.Join(wrap(remote.ErrOffline), errors.New("close")), 23},
	} {
		if got := exit.Report(io.Discard, test.err); got != test.want {
			t.Errorf("%v: status %d, want %d", test.err, got, test.want)
		}
	}
}

func TestRate(t *testing.T) {
	var r rate
	at := time.Unix(1000, 0)
	if got := r.at(at); got != 0 {
		t.Errorf("before anything: %v", got)
	}
	for i := range 20 {
		r.add(at.Add(time.Duration(i)*time.Second), 100)
	}
	if got := r.at(at.Add(19 * time.Second)); got != 100 {
		t.Errorf("steady 100 B/s: %v", got)
	}
	if got := r.at(at.Add(10 * time.Minute)); got != 0 {
		t.Errorf("after a long pause: %v", got)
	}
}

// Events and drawing must never wait for each other, and stop must end the view.
func TestProgressUnderLoad(t *testing.T) {
	a := &app{Printer: &console.Printer{Out: io.Discard}, Resolver: &settings.Resolver{Globals: &settings.Globals{}, Ctx: t.Context()}, screen: &console.Screen{Out: io.Discard}}
	p := newFlight()
	end := a.showProgress(true, p)
	p.observe(event.Event{Type: event.Planned, Steps: 4000, UploadBytes: 4000})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 1000 {
					s := &journal.Step{Path: fmt.Sprint(g, i), Action: journal.Send, How: journal.Upload, New: &snapshot.Entry{Size: 1}}
					for _, e := range []event.Type{event.StepStart, event.StepProgress, event.StepRetry, event.StepProgress, event.StepDone} {
						p.observe(event.Event{Type: e, Step: s, Bytes: 1})
					}
					if i%100 == 0 {
						fmt.Fprintln(a.screen, "a log line")
						time.Sleep(30 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		end()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the view and the events wait for each other")
	}
	if got := p.progress(t.Context()); got.StepsDone != 4000 || got.Done != 4000 || got.Total != 4000 || len(got.Transfers) != 0 {
		t.Errorf("%+v", got)
	}
}

// What is left counts what is not read yet of the steps that are not over: of one that failed nothing, of one
// that is tried again all, of one that goes on where it was interrupted what the remote did not have.
func TestBytesLeft(t *testing.T) {
	f := newFlight()
	step := func(path string, size int64) *journal.Step {
		return &journal.Step{Path: path, Action: journal.Send, How: journal.Upload, New: &snapshot.Entry{Size: size}}
	}
	a, b, c := step("a", 100), step("b", 1000), step("c", 10)
	for i, c := range []struct {
		ev   event.Event
		left int64
	}{
		{event.Event{Type: event.Planned, Steps: 2, UploadBytes: 1100}, 1100},
		{event.Event{Type: event.StepStart, Step: a}, 1100},
		{event.Event{Type: event.StepProgress, Step: a, Bytes: 60}, 1040},
		{event.Event{Type: event.StepRetry, Step: a}, 1100},
		{event.Event{Type: event.StepProgress, Step: a, Bytes: 10}, 1090},
		{event.Event{Type: event.StepDone, Step: a, Err: errors.New("no")}, 1000},
		{event.Event{Type: event.StepStart, Step: b}, 1000},
		{event.Event{Type: event.StepProgress, Step: b, Bytes: 300}, 700},
		{event.Event{Type: event.StepStart, Step: c}, 710}, // planned beside b
		{event.Event{Type: event.StepProgress, Step: c, Bytes: 10}, 700},
		{event.Event{Type: event.StepDone, Step: c}, 700},
		{event.Event{Type: event.StepDone, Step: b}, 0},
	} {
		f.observe(c.ev)
		if _, _, left := f.transfers(); left != c.left {
			t.Errorf("after event %d: %d left, want %d", i, left, c.left)
		}
	}
}
