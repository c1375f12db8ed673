package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/view"
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
			shown = append(shown, view.Unreadable(m.Label(), m.Source, m.Display, one.err))
		} else {
			shown = append(shown, view.FromStatus(one.status))
		}
	}
	return shown
}
