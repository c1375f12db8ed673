package view

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/loop"
)

// FromProgress is what is under way as the view shows it; the end of ctx stops it.
func FromProgress(ctx context.Context, f *status.Activity) Progress {
	p := f.Progress()
	return Progress{
		Phase: p.Phase, Done: p.Done, Total: p.Total, StepsDone: p.StepsDone, Steps: p.Steps,
		Rate: float64(p.Rate), Transfers: fromTransfers(p.Transfers, time.Now()), Stopping: ctx.Err() != nil,
	}
}

// fromTransfers are transfers as the view shows them.
func fromTransfers(all []status.Transfer, now time.Time) (shown []Transfer) {
	for _, t := range all {
		rate := 0.0
		if took := now.Sub(t.Since).Seconds(); took > 0 {
			rate = float64(t.Done) / took
		}
		shown = append(shown, Transfer{Path: t.Path, Done: t.Done, Size: t.Size, Rate: rate})
	}
	return shown
}

// Unreadable is a mapping whose state cannot be read.
func Unreadable(name, source, remote string, err error) Mapping {
	return Mapping{Status: &status.Status{
		Mapping: name, Source: source, Remote: remote, State: string(loop.Stopped),
		Why: "its state cannot be read", LastError: err.Error(),
	}}
}

func (m *Mapping) lag() time.Duration { return time.Duration(m.LagSeconds * float64(time.Second)) }

// why is the reason of the state. Where no process says so, what lets through what is held belongs to it.
func (m *Mapping) why() string {
	if m.Live == nil && m.HeldWhy != "" {
		return strings.TrimPrefix(fmt.Sprintf("%s; %s: %s", m.Why, m.HeldWhy, m.Approve), "; ")
	}
	return m.Why
}

// transfers are the uploads in flight, oldest first: of a run that cannot be asked so much as the remote has confirmed.
func (m *Mapping) transfers(now time.Time) (all []Transfer) {
	switch {
	case m.Live != nil:
		return fromTransfers(m.Live.Transfers, now)
	case m.PID != 0:
		for _, u := range m.Uploads {
			all = append(all, Transfer{Path: u.Path, Done: u.Confirmed, Size: u.Size})
		}
	}
	return all
}

// rate is in bytes per second. That of the process counts files as well that are sent too quickly to be seen in flight.
func (m *Mapping) rate(now time.Time) (sum float64) {
	if m.Live != nil && m.Live.Rate > 0 && m.State == string(loop.Syncing) { // what was a moment ago is no rate of now
		return float64(m.Live.Rate)
	}
	for _, t := range m.transfers(now) {
		sum += t.Rate
	}
	return sum
}
