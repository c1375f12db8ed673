package main

import "github.com/snapsync/snapsync/cmd/snapsync/settings"

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
func (c *planCmd) Run(w *world) error {
	return showPlans(w, planWish{All: c.All, ExitCode: c.ExitCode}, &settings.Spec{
		Src: c.Src, Target: c.Target, SyncFlags: c.SyncFlags, GuardFlags: c.GuardFlags, TransferFlags: c.TransferFlags, WatchFlags: c.WatchFlags,
	})
}
