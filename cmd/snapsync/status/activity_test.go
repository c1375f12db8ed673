package status

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// A path that fails is worth a line in the log; what only passes by is not.
func TestFlightKeepsFailures(t *testing.T) {
	f := NewActivity()
	fail := func(path string, err error) {
		f.Observe(event.Event{Type: event.StepDone, Step: &journal.Step{Action: journal.Send, Path: path}, Err: err})
	}
	fail("away", fmt.Errorf("send: %w", remote.ErrOffline))
	fail("log", fmt.Errorf("send: %w", snapshot.ErrChanged))
	for n := range text.MaxShown + 2 {
		fail(fmt.Sprint(n), errors.New("no space"))
	}
	sum := f.Take()
	if len(sum.Failures) != text.MaxShown || sum.Failures[0].Path != "0" || sum.Failed != text.MaxShown+4 {
		t.Errorf("%d failed, of which %v", sum.Failed, sum.Failures)
	}
	if sum := f.Take(); sum.Failed != 0 || sum.Failures != nil {
		t.Errorf("taken twice: %+v", sum)
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

// What is left counts what is not read yet of the steps that are not over: of one that failed nothing, of one
// that is tried again all, of one that goes on where it was interrupted what the remote did not have.
func TestBytesLeft(t *testing.T) {
	f := NewActivity()
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
		f.Observe(c.ev)
		if _, _, left := f.Transfers(); left != c.left {
			t.Errorf("after event %d: %d left, want %d", i, left, c.left)
		}
	}
}
