package main

import (
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
func (c *logCmd) Run(w *world) error {
	if c.Follow {
		return c.follow(w)
	}
	return withHistory(w, &c.Selection, "", c.Path, func(s *mapping.Session) error {
		path, err := s.PathIn(c.Path)
		if err != nil {
			return err
		}
		rows, err := s.Journal.History(journal.HistoryQuery{Path: path, Limit: c.Number, Newest: true})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := printHistory(w, &rows[i]); err != nil {
				return err
			}
		}
		if len(rows) == 0 && !w.JSON && !w.Quiet {
			fmt.Fprintln(w.Err, "nothing recorded")
		}
		return nil
	})
}

func printHistory(w *world, r *journal.HistoryRow) error {
	if w.JSON {
		return text.WriteJSON(w.Out, text.NewHistory(r))
	}
	return text.WriteHistory(w.Out, r)
}
