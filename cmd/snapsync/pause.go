package main

import "github.com/snapsync/snapsync/journal"

type pauseCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	selection
}

// Help is the long text of `pause --help`.
func (*pauseCmd) Help() string {
	return `Runs of a paused mapping do nothing and exit with 0, so that cron jobs can stay as they are.

Example:

    snapsync pause ~/work`
}

// Run implements the command.
func (c *pauseCmd) Run(a *app) error {
	return a.withState(&c.selection, c.Src, func(s *session) error {
		if err := s.journal.Update(func(st *journal.State) { st.Paused = true }); err != nil {
			return err
		}
		return a.tell(s, "paused", 0, "", "paused: runs do nothing until 'snapsync resume'")
	})
}

type resumeCmd struct {
	Src string `arg:"" optional:"" help:"The source of the mapping. Default: as --source."`
	selection
}

// Help is the long text of `resume --help`.
func (*resumeCmd) Help() string {
	return `The next run works again. What was missed meanwhile is found by its scan.

Example:

    snapsync resume ~/work`
}

// Run implements the command.
func (c *resumeCmd) Run(a *app) error {
	return a.withState(&c.selection, c.Src, func(s *session) error {
		if err := s.journal.Update(func(st *journal.State) { st.Paused = false }); err != nil {
			return err
		}
		return a.tell(s, "resumed", 0, "", "resumed: the next run catches up")
	})
}
