package main

import (
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
)

type logCmd struct {
	Path   string `arg:"" optional:"" help:"Only this path and what is beneath it, under any name that it had."`
	Number int    `short:"n" default:"20" placeholder:"N" help:"How many lines; 0: all."`
	Follow bool   `short:"f" help:"Stay and show what is done, as it is done; newest last."`
	settings.Selection
}

// Help is the long text of `log --help`.
func (*logCmd) Help() string {
	return `Each line is a step that the remote acknowledged: when, in which snapshot, and what.

Examples:

    snapsync log
    snapsync log -n 0 photos/2026
    snapsync log -m work
    snapsync log -f
    snapsync log --json --source ~/work`
}

// Run implements the command.
func (c *logCmd) Run(a *app) error {
	if c.Follow {
		return c.follow(a)
	}
	return a.withHistory(&c.Selection, "", c.Path, func(s *mapping.Session) error {
		path, err := s.PathIn(c.Path)
		if err != nil {
			return err
		}
		rows, err := s.Journal.History(journal.HistoryQuery{Path: path, Limit: c.Number, Newest: true})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := a.printHistory(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) == 0 && !a.JSON && !a.Quiet {
			fmt.Fprintln(a.Err, "nothing recorded")
		}
		return nil
	})
}

func (a *app) printHistory(r *journal.HistoryRow) error {
	if a.JSON {
		return text.WriteJSON(a.Out, text.NewHistory(r))
	}
	return text.WriteHistory(a.Out, r)
}

// withHistory runs fn on the mappings that are meant, each opened without leaving a trace.
func (a *app) withHistory(sel *settings.Selection, src, path string, fn func(*mapping.Session) error) error {
	return a.Each(sel, src, path, func(m *mapping.Mapping) error {
		s, err := m.Read()
		if err != nil {
			return err
		}
		settings.Heading(a.Printer, m)
		return errors.Join(fn(s), s.Close())
	})
}
