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
func (c *statusCmd) watch(w *world) error {
	if w.Interactive() && !w.JSON && os.Getenv("TERM") != "dumb" {
		return c.watchScreen(w)
	}
	lines := &statusLines{cmd: c, said: map[string]string{}}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if err := lines.show(w); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-w.Ctx.Done():
			return nil // that is how it ends
		}
	}
}

// watchScreen shows it on a terminal.
func (c *statusCmd) watchScreen(w *world) error {
	all, err := c.look(w)
	if err == nil && len(all) == 0 {
		err = c.none(w, io.Discard) // nil: some may come
	}
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(w.Ctx)
	defer fail(nil)
	log := &view.Log{}
	restore := w.screen.Over(log)
	defer restore()
	err = view.Run(ctx, view.Config{
		Source: watchSource{c, w, fail}, Every: watchEvery,
		Log: log, In: os.Stdin, Out: os.Stdout, Environ: os.Environ(),
	})
	if err == nil && w.Ctx.Err() == nil {
		err = context.Cause(ctx) // nil if q ended it
	}
	return err
}

// watchSource is the mappings that are meant as the view shows them.
type watchSource struct {
	cmd  *statusCmd
	app  *world
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
			shown = append(shown, view.Mapping{Status: one.status})
		}
	}
	return shown
}
