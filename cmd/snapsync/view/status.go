package view

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/loop"
)

// FromProgress is what is under way as the view shows it; the end of ctx stops it.
func FromProgress(ctx context.Context, f *status.Activity) Progress {
	p := f.Progress()
	return Progress{
		Phase: p.Phase, Done: p.Done, Total: p.Total, StepsDone: p.StepsDone, Steps: p.Steps,
		Rate: float64(p.Rate), Transfers: FromTransfers(p.Transfers, time.Now()), Stopping: ctx.Err() != nil,
	}
}

// FromTransfers are transfers as the view shows them.
func FromTransfers(all []status.Transfer, now time.Time) (shown []Transfer) {
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
	return Mapping{
		Name: name, Source: source, Remote: remote, State: string(loop.Stopped),
		Why: "its state cannot be read", LastError: err.Error(),
	}
}

// FromStatus is a status as the view shows it.
func FromStatus(st *status.Status) Mapping {
	m := Mapping{
		Name: st.Mapping, Source: st.Source, Remote: st.Remote, State: st.State, Why: st.Why,
		Lag:   time.Duration(st.LagSeconds * float64(time.Second)),
		Files: st.Files, Bytes: st.Bytes, Pending: st.Pending, Held: st.Held, Failed: st.Failed,
	}
	if st.Since != nil {
		m.Since = *st.Since
	}
	if st.ErrorClass != "interrupted" { // by a person, who knows
		m.LastError = st.LastError
	}
	if st.Live == nil && st.HeldWhy != "" {
		m.Why = strings.TrimPrefix(fmt.Sprintf("%s; %s: %s", m.Why, st.HeldWhy, st.Approve), "; ")
	}
	for _, f := range st.Failures {
		m.Failures = append(m.Failures, text.Path(f.Path)+": "+text.WithoutPath(f.Message, f.Path))
	}
	if st.Live == nil && st.PID != 0 { // a run that cannot be asked: the remote has confirmed so much
		for _, u := range st.Uploads {
			m.Transfers = append(m.Transfers, Transfer{Path: u.Path, Done: u.Confirmed, Size: u.Size})
		}
	}
	if st.Live == nil {
		return m
	}
	if st.State == string(loop.Syncing) { // what was a moment ago is no rate of now
		m.Rate = float64(st.Live.Rate)
	}
	m.Left, m.Transfers = st.Live.Left, FromTransfers(st.Live.Transfers, time.Now())
	return m
}
