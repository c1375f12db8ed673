package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/replay"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/journal"
)

type diffCmd struct {
	A int64  `arg:"" name:"a" help:"The number of a snapshot; 0 is before the first."`
	B *int64 `arg:"" optional:"" name:"b" help:"The number of a later one. Default: the latest."`
	settings.Selection
}

// Help is the long text of `diff --help`.
func (*diffCmd) Help() string {
	return `The numbers are those of 'snapsync snapshots'. What happened to a path several times counts once, and what
came and went in between does not count at all.

Examples:

    snapsync diff 12
    snapsync diff -m work 12
    snapsync diff 12 15 --json --source ~/work`
}

// Run implements the command.
func (c *diffCmd) Run(w *world) error {
	q := journal.HistoryQuery{AfterCycle: c.A}
	if c.B != nil {
		if *c.B < c.A {
			return exit.Usage("name the older one first", "snapshot %d is not after %d", *c.B, c.A)
		}
		q.UpToCycle = *c.B
	}
	if _, err := w.Choose(&c.Selection, "", ""); err != nil { // each mapping has numbers of its own
		return err
	}
	return withHistory(w, &c.Selection, "", "", func(s *mapping.Session) error {
		if err := knowSnapshots(s, c.A, q.UpToCycle); err != nil {
			return err
		}
		rows := []journal.HistoryRow(nil)
		if c.B == nil || *c.B > c.A {
			var err error
			if rows, err = s.Journal.History(q); err != nil {
				return err
			}
		}
		for _, c := range replay.Fold(rows) {
			if err := w.Row(c.JSON(), "%s", c); err != nil {
				return err
			}
		}
		return nil
	})
}

// knowSnapshots refuses numbers that no snapshot has: an empty answer would look like "no changes".
func knowSnapshots(s *mapping.Session, numbers ...int64) error {
	cycles, err := s.Journal.Cycles(math.MaxInt32)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		known := func(c journal.Cycle) bool { return c.ID == n }
		if n != 0 && !slices.ContainsFunc(cycles, known) {
			return &exit.Failure{Status: exit.StatusError, Err: fmt.Errorf("there is no snapshot %d", n), Hint: "'snapsync snapshots' lists them; old ones are forgotten"}
		}
	}
	return nil
}
