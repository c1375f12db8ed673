package daemon

import (
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
)

// What the control socket's events carry; `run --json` prints the same objects, but for the progress.
// docs/control.md has an example of each. Fields are only ever added.
type (
	// eventHead is in front of each. Steps have the same fields elsewhere.
	eventHead struct {
		Type    string `json:"type"`
		Mapping string `json:"mapping"` // id
		Time    string `json:"time"`
	}
	// stateEvent: the mapping entered a state, or has another reason for it.
	stateEvent struct {
		eventHead
		State string  `json:"state"`
		Since *string `json:"since"`
		Why   string  `json:"why"`
		Next  *string `json:"next"` // attempt or full scan
	}
	// stepEvent: a step ended.
	stepEvent struct {
		text.Step
		Mapping string `json:"mapping"`
		Time    string `json:"time"`
		Error   string `json:"error,omitempty"`
		Class   string `json:"class,omitempty"` // of the error
	}
	// progressEvent comes once a second while something is in flight.
	progressEvent struct {
		eventHead
		Rate      int64             `json:"rate"` // bytes per second
		Transfers []status.Transfer `json:"transfers"`
	}
	// cycleEvent: one cycle ended, or several that followed each other at once.
	cycleEvent struct {
		eventHead
		Cycles int64 `json:"cycles"` // since the start
		engine.Summary
	}
	// errorEvent: a cycle, or an attempt to start, failed as a whole.
	errorEvent struct {
		eventHead
		Error string  `json:"error"`
		Class string  `json:"class,omitempty"`
		Hint  string  `json:"hint,omitempty"`
		Next  *string `json:"next"` // attempt
	}
)

func head(kind, mapping string) eventHead {
	return eventHead{Type: kind, Mapping: mapping, Time: *text.JSONTime(time.Now())}
}

// publish hands an event to the readers of the socket, and to stdout with --json.
func (d *process) publish(kind, mapping string, data any) {
	d.feed.Publish(control.Event{Type: kind, Mapping: mapping, Data: data})
	if !d.JSON || kind == "progress" {
		return
	}
	d.lines.mu.Lock()
	defer d.lines.mu.Unlock()
	if err := text.WriteJSON(d.Out, data); err != nil {
		d.Log.Debug("stdout", "err", err)
	}
}
