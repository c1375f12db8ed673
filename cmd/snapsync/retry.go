package main

import (
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/engine"
)

type retryCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	selection
}

// Help is the long text of `retry --help`.
func (*retryCmd) Help() string {
	return `A running 'snapsync run' sets a path that fails aside, longer each time, until it changes. This command shows which
these are and has them tried again now. Where nothing is running, the next run tries all of them anyway.

Examples:

    snapsync retry
    snapsync retry -m work
    snapsync retry ~/work`
}

// Run implements the command.
func (c *retryCmd) Run(a *app) error {
	return a.each(&c.selection, c.Src, "", func(m *mapping) error {
		n, err := a.showFailed(m)
		if err != nil {
			return err
		}
		if p := a.process(m); p != nil {
			err := a.order(p, m, control.Command{Name: control.Retry})
			if !errors.Is(err, control.ErrNotRunning) {
				return err
			}
		}
		return a.answer(m, "retry", n, "", counted(n, "failed path")+": the next run tries all of them")
	})
}

// showFailed lists the paths that failed.
func (a *app) showFailed(m *mapping) (int64, error) {
	s, err := a.read(m)
	if err != nil {
		return 0, err
	}
	rows, err := s.journal.Failures(engine.MaxFailures)
	for i := range rows {
		if !a.JSON && !a.Quiet {
			fmt.Fprintf(a.stdout, "  %s: %s\n", show(rows[i].Path), withoutPath(rows[i].Message, rows[i].Path))
		}
	}
	return int64(len(rows)), errors.Join(err, s.close())
}
