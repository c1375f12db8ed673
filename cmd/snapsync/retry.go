package main

import (
	"fmt"

	"github.com/snapsync/snapsync/engine"
)

type retryCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	selection
}

// Help is the long text of `retry --help`.
func (*retryCmd) Help() string {
	return `Every run tries the paths that failed before. This command shows which they are.

Example:

    snapsync retry ~/work`
}

// Run implements the command.
func (c *retryCmd) Run(a *app) error {
	return a.withState(&c.selection, c.Src, func(s *session) error {
		rows, err := s.journal.Failures(engine.MaxFailures)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if !a.JSON && !a.Quiet {
				fmt.Fprintf(a.stdout, "  %s: %s\n", show(r.Path), r.Message)
			}
		}
		return a.tell(s, "retry", int64(len(rows)), "", counted(int64(len(rows)), "failed path")+": the next run tries all of them")
	})
}
