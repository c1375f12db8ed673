package main

import (
	"bufio"
	"errors"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
)

// planWish is how `plan`, and `run --dry-run`, show what a run would do.
type planWish struct {
	All      bool // every step of a long plan, on a terminal too
	ExitCode bool // exit with StatusSteps if there is anything to do
}

// shownOfAKind is how many steps of a kind a person at a terminal gets.
const shownOfAKind = 20

// showPlans shows the plan of each mapping that is meant.
func showPlans(w *world, c planWish, given *settings.Spec) error {
	specs, err := w.Specs(given)
	if err != nil {
		return err
	}
	return eachSpec(w, specs, func(s *settings.Spec) error { return c.one(w, s) })
}

// one shows the plan of one mapping.
func (c *planWish) one(w *world, sp *settings.Spec) error {
	m, config, err := w.Prepare(sp)
	if err != nil {
		return err
	}
	s, err := m.Read()
	if err != nil {
		return err
	}
	settings.Heading(w.Printer, m)
	return errors.Join(c.show(w, s, config, sp.CreateEmptySrcDirs), s.Close())
}

func (c *planWish) show(w *world, s *mapping.Session, config engine.Config, emptyDirs bool) error {
	config.Journal = s.Journal
	e, err := engine.New(config)
	if err != nil {
		return err
	}
	preview, err := e.Plan(w.Ctx)
	if err = errors.Join(err, e.Close()); err != nil {
		return s.Advise(err)
	}
	view := text.NewPlan(preview, emptyDirs)
	if w.Quiet {
		view.Skipped = ""
	}
	out := bufio.NewWriter(w.Out)
	switch {
	case w.JSON:
		err = view.WriteJSON(out)
	case c.All || w.Verbose > 0 || !console.IsTerminal(w.Out):
		err = view.WriteText(out, s.String(), s.Approval, 0)
	default: // a person at a terminal
		err = view.WriteText(out, s.String(), s.Approval, shownOfAKind)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	if c.ExitCode && !view.Empty() {
		return exit.Quiet(exit.StatusSteps)
	}
	return nil
}
