package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/cmd/snapsync/view"
	"github.com/snapsync/snapsync/engine/loop"
)

// watchEvery is the time between two looks of `status --watch`.
const watchEvery = time.Second

// watch shows how things stand until it is interrupted.
func (c *statusCmd) watch(a *app) error {
	if a.Interactive() && !a.JSON && os.Getenv("TERM") != "dumb" {
		return c.watchScreen(a)
	}
	lines := &statusLines{cmd: c, said: map[string]string{}}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if err := lines.show(a); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-a.Ctx.Done():
			return nil // that is how it ends
		}
	}
}

// watchScreen shows it on a terminal.
func (c *statusCmd) watchScreen(a *app) error {
	all, err := c.look(a)
	if err == nil && len(all) == 0 {
		err = c.none(a, io.Discard) // nil: some may come
	}
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(a.Ctx)
	defer fail(nil)
	log := &view.Log{}
	restore := a.screen.Over(log)
	defer restore()
	err = view.Run(ctx, view.Config{
		Source: watchSource{c, a, fail}, Every: watchEvery,
		Log: log, In: os.Stdin, Out: os.Stdout, Environ: os.Environ(),
	})
	if err == nil && a.Ctx.Err() == nil {
		err = context.Cause(ctx) // nil if q ended it
	}
	return err
}

// watchSource is the mappings that are meant as the view shows them.
type watchSource struct {
	cmd  *statusCmd
	app  *app
	fail func(error) // ends the view
}

// Snapshot implements view.Source.
func (s watchSource) Snapshot() []view.Mapping {
	all, err := s.cmd.look(s.app)
	if err != nil {
		s.fail(err)
	}
	var shown []view.Mapping
	for _, one := range all {
		if m := one.mapping; one.err != nil {
			shown = append(shown, unreadable(m.Label(), m.Source, m.Display, one.err))
		} else {
			shown = append(shown, shownStatus(one.status))
		}
	}
	return shown
}

// unreadable is a mapping whose state cannot be read.
func unreadable(name, source, remote string, err error) view.Mapping {
	return view.Mapping{
		Name: name, Source: source, Remote: remote, State: string(loop.Stopped),
		Why: "its state cannot be read", LastError: err.Error(),
	}
}

// shownStatus is a status as the view shows it.
func shownStatus(st *status.Status) view.Mapping {
	m := view.Mapping{
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
			m.Transfers = append(m.Transfers, view.Transfer{Path: u.Path, Done: u.Confirmed, Size: u.Size})
		}
	}
	if st.Live == nil {
		return m
	}
	if st.State == string(loop.Syncing) { // what was a moment ago is no rate of now
		m.Rate = float64(st.Live.Rate)
	}
	m.Left, m.Transfers = st.Live.Left, shownTransfers(st.Live.Transfers, time.Now())
	return m
}
