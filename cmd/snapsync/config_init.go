package main

import (
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/wizard"
)

type configInitCmd struct {
	Name    string `arg:"" optional:"" help:"The name of the mapping. Default: that of the directory."`
	Yes     bool   `group:"which" short:"y" help:"Ask nothing: flags say what to write, the rest has its default."`
	Source  string `group:"which" placeholder:"DIR" help:"The directory to mirror."`
	Remote  string `group:"which" placeholder:"REMOTE" help:"Where to: anything that rclone takes, or a directory."`
	NoTrial bool   `group:"which" help:"Do not connect to the remote and show no first plan."`
	settings.SyncFlags
	settings.WatchFlags
}

// Help is the long text of `config init --help`.
func (*configInitCmd) Help() string {
	return `It asks for a directory, a remote, what happens to deleted files and what to leave out; connects to the remote, shows what a
first run would do, and adds the mapping to the config file, with comments, for you to edit later. What is in the file
already stays as it is. What a flag says is not asked. Nothing is sent.

A remote that rclone does not know yet can be made on the way, with rclone's own questions. An empty answer takes what is
in brackets, and Ctrl-C gives up with nothing written.

Examples:

    snapsync config init
    snapsync config init work --source ~/work
    snapsync config init --yes --source ~/work --remote nas:work --complete-sync --exclude '*.tmp'`
}

// Run implements the command.
func (c *configInitCmd) Run(w *world) error {
	spec := settings.Spec{Name: c.Name, Target: settings.Target{Remote: c.Remote}}
	for _, f := range spec.Flags() {
		settings.SetDefault(f)
	}
	spec.SyncFlags, spec.WatchFlags = c.SyncFlags, c.WatchFlags
	d, err := wizard.New(w.Resolver, w.Printer, spec, c.Source)
	if err != nil {
		return err
	}
	d.Running, d.Trial = func() bool { return someRun(w.Resolver) }, !c.NoTrial
	if c.Yes {
		return d.Write()
	}
	return d.Ask(console.NewAsker(w.Ctx, w.Out))
}
