package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// configCmd are the commands about the config file of mappings.
type configCmd struct {
	Init  configInitCmd  `cmd:"" group:"program" help:"Write a mapping down, step by step or from flags."`
	Show  configShowCmd  `cmd:"" group:"program" help:"Show what the config file means."`
	Check configCheckCmd `cmd:"" group:"program" help:"Look for mistakes in the config file."`
	Edit  configEditCmd  `cmd:"" group:"program" help:"Open the config file in an editor, then check it."`
	Path  configPathCmd  `cmd:"" group:"program" help:"Print where the config file is, or would be."`

	Reload configReloadCmd `cmd:"" group:"program" help:"Have what runs read the config file again."`
}

// Help is the long text of `config --help`.
func (*configCmd) Help() string {
	return `The config file names mappings, so that 'snapsync run' needs no flags. It is TOML; docs/config.md has every key.
--mappings FILE, or SNAPSYNC_MAPPINGS, means another one; --config is the configuration of rclone.

    bwlimit = "10M"                  # top of the file: for the whole process

    [defaults]                       # for all mappings
    exclude = ["*.tmp", "/.cache/**"]

    [mappings.work]                  # its name is what -m takes
    source = "~/work"
    remote = "nas:work"
    complete-sync = true

Each flag of 'snapsync run' is a key, without the dashes in front. A flag wins over its variable, the variable
over the mapping's key, that over [defaults]; a list replaces the one of [defaults]. ~ and $VARIABLES are expanded
in the source; a file name that is relative is beside the config file. A mapping that is given by --remote takes
the keys of the whole process only.`
}

type configPathCmd struct{}

// Help is the long text of `config path --help`.
func (*configPathCmd) Help() string { return `The file need not exist.` }

// Run implements the command.
func (*configPathCmd) Run(w *world) error {
	_, err := fmt.Fprintln(w.Out, w.ConfigPath())
	return err
}

type configEditCmd struct{}

// Help is the long text of `config edit --help`.
func (*configEditCmd) Help() string {
	return `It opens $VISUAL, else $EDITOR, else vi. When the editor is done the file is checked, as with 'snapsync config
check': what is wrong is said, and nothing else is done about it.`
}

// Run implements the command.
func (*configEditCmd) Run(w *world) error {
	path := w.ConfigPath()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return exit.Usage("'snapsync config init' makes it", "%s does not exist", text.Path(path))
	}
	if err := edit(w, path); err != nil {
		return fmt.Errorf("edit %s: %w", text.Path(path), err)
	}
	if err := (&configCheckCmd{}).Run(w); err != nil || w.JSON || w.Quiet || !someRun(w.Resolver) {
		return err
	}
	_, err := fmt.Fprintln(w.Out, "snapsync: what is running has not read it yet: 'snapsync config reload' has it do so")
	return err
}

// edit runs the editor that a person prefers, which may be a command with options.
func edit(w *world, path string) error {
	editor := os.Getenv("VISUAL")
	if editor == "" {
		editor = os.Getenv("EDITOR")
	}
	cmd := exec.CommandContext(w.Ctx, "sh", "-c", editor+` "$1"`, "sh", path)
	switch {
	case editor == "" && runtime.GOOS == "windows":
		cmd = exec.CommandContext(w.Ctx, "notepad", path)
	case editor == "":
		cmd = exec.CommandContext(w.Ctx, "vi", path)
	case runtime.GOOS == "windows":
		cmd = exec.CommandContext(w.Ctx, editor, path)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
