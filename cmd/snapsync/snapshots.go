package main

import (
	"fmt"
	"math"

	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type snapshotsCmd struct {
	Src    string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	Number int    `short:"n" default:"20" placeholder:"N" help:"How many; 0: all."`
	settings.Selection
}

// Help is the long text of `snapshots --help`.
func (*snapshotsCmd) Help() string {
	return `A run that changed something on the remote makes a snapshot: what the remote holds since then. They are
listed newest first; 'snapsync diff' takes their numbers.

Examples:

    snapsync snapshots -m work
    snapsync snapshots ~/work`
}

// Run implements the command.
func (c *snapshotsCmd) Run(w *world) error {
	return withHistory(w, &c.Selection, c.Src, "", func(s *mapping.Session) error {
		limit := c.Number
		if limit <= 0 {
			limit = math.MaxInt32
		}
		cycles, err := s.Journal.Cycles(limit)
		if err != nil {
			return err
		}
		for i := range cycles {
			if err := w.Row(text.NewSnapshot(&cycles[i]), "%s", text.SnapshotLine(&cycles[i])); err != nil {
				return err
			}
		}
		if len(cycles) == 0 && !w.JSON && !w.Quiet {
			fmt.Fprintln(w.Err, "no snapshots yet")
		}
		return nil
	})
}
