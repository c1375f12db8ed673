package main

import (
	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

type pauseCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	settings.Selection
}

// Help is the long text of `pause --help`.
func (*pauseCmd) Help() string {
	return `A running 'snapsync run' gives up what it is doing and then does nothing, but it stays. Runs of a paused mapping do
nothing and exit with 0, so that cron jobs can stay as they are.

Examples:

    snapsync pause
    snapsync pause -m work
    snapsync pause ~/work`
}

// Run implements the command.
func (c *pauseCmd) Run(w *world) error {
	return steerEach(w, &c.Selection, c.Src, control.Command{Name: control.Pause}, "paused")
}

type resumeCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	settings.Selection
}

// Help is the long text of `resume --help`.
func (*resumeCmd) Help() string {
	return `A running 'snapsync run' goes on at once, else the next run does. What was missed meanwhile is found by a scan.

Example:

    snapsync resume ~/work`
}

// Run implements the command.
func (c *resumeCmd) Run(w *world) error {
	return steerEach(w, &c.Selection, c.Src, control.Command{Name: control.Resume}, "resumed")
}
