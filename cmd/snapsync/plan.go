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

type planCmd struct {
	Src      string `arg:"" optional:"" help:"The directory to mirror. Default: the working directory."`
	ExitCode bool   `group:"output" config:"-" help:"Exit with 20 if there is anything to do."`
	All      bool   `group:"output" help:"Show every step of a long plan on a terminal, too."`
	settings.Target
	settings.SyncFlags
	settings.GuardFlags
	settings.TransferFlags
	settings.WatchFlags
}

// Help is the long text of `plan --help`.
func (*planCmd) Help() string {
	return `It takes the flags of run, and shows what 'run --once' would do with them: in order, with totals, and with
what moves and copies save. It writes nothing, neither to the remote nor to the state, and works while a run
is under way. If the mapping was never synced, the remote is listed. Without --remote the mappings of the
config file are meant, or the one that -m names.

Each line starts with what happens to the path on the remote:

    +  it is new             →  it is moved there, not sent       -  it is deleted
    ~  it has new content    ©  it is copied from what is there   !  it is held: a person must approve
    t  it has a new mtime

Examples:

    snapsync plan
    snapsync plan -m work
    snapsync plan ~/work --remote mys3:bucket/work
    snapsync plan ~/work --remote mys3:bucket/work --complete-sync --json
    snapsync plan --exit-code ~/work --remote /mnt/backup/work || echo "there is something to do"`
}

// Run implements the command.
func (c *planCmd) Run(a *app) error {
	specs, err := a.Specs(&settings.Spec{
		Src: c.Src, Target: c.Target, SyncFlags: c.SyncFlags, GuardFlags: c.GuardFlags, TransferFlags: c.TransferFlags, WatchFlags: c.WatchFlags,
	})
	if err != nil {
		return err
	}
	return settings.ForEach(a.Ctx, a.Printer, settings.Pointers(specs), settings.SpecName, func(s *settings.Spec) error { return c.one(a, s) })
}

// one shows the plan of one mapping.
func (c *planCmd) one(a *app, sp *settings.Spec) error {
	m, config, err := a.Prepare(sp)
	if err != nil {
		return err
	}
	s, err := m.Read()
	if err != nil {
		return err
	}
	settings.Heading(a.Printer, m)
	return errors.Join(c.show(a, s, config, sp.CreateEmptySrcDirs), s.Close())
}

func (c *planCmd) show(a *app, s *mapping.Session, config engine.Config, emptyDirs bool) error {
	config.Journal = s.Journal
	e, err := engine.New(config)
	if err != nil {
		return err
	}
	preview, err := e.Plan(a.Ctx)
	if err = errors.Join(err, e.Close()); err != nil {
		return s.Advise(err)
	}
	view := text.NewPlan(preview, emptyDirs)
	if a.Quiet {
		view.Skipped = ""
	}
	out := bufio.NewWriter(a.Out)
	switch {
	case a.JSON:
		err = view.WriteJSON(out)
	default:
		err = view.WriteText(out, s.String(), s.Approval, c.limit(a))
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	if c.ExitCode && len(view.Steps) > 0 {
		return exit.Quiet(exit.StatusSteps)
	}
	return nil
}

// limit is how many steps of a kind are shown; 0: all. Only a person at a terminal gets fewer.
func (c *planCmd) limit(a *app) int {
	if c.All || a.Verbose > 0 || !console.IsTerminal(a.Out) {
		return 0
	}
	return 20
}
