package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/complete"
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/help"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

// cli is the command line. The order of the commands is the order of the help.
type cli struct {
	settings.Globals

	Run    runCmd    `cmd:"" group:"sync" help:"Bring the remote up to date with a directory."`
	Plan   planCmd   `cmd:"" group:"sync" help:"Show what a run would do; change nothing, anywhere."`
	Verify verifyCmd `cmd:"" group:"sync" help:"Compare the remote with what it should hold."`

	Status    statusCmd    `cmd:"" group:"look" help:"Show each mapping: synced, pending, held, failed."`
	Log       logCmd       `cmd:"" group:"look" help:"Show what was done, newest first."`
	Explain   explainCmd   `cmd:"" group:"look" help:"Show why a path was sent or not."`
	Snapshots snapshotsCmd `cmd:"" group:"look" help:"List the snapshots that the remote has acknowledged."`
	Diff      diffCmd      `cmd:"" group:"look" help:"Show which paths changed between two snapshots."`

	Approve approveCmd `cmd:"" group:"steer" help:"Let the held deletes through."`
	Pause   pauseCmd   `cmd:"" group:"steer" help:"Do nothing until resume."`
	Resume  resumeCmd  `cmd:"" group:"steer" help:"Undo pause."`
	Retry   retryCmd   `cmd:"" group:"steer" help:"Show which paths failed, and try them again."`
	Sync    syncCmd    `cmd:"" group:"steer" help:"Have a running process look at everything now."`
	Stop    stopCmd    `cmd:"" group:"steer" help:"End the running processes."`
	Forget  forgetCmd  `cmd:"" group:"steer" help:"Remove what is remembered of a mapping that is over."`

	Configure  configCmd     `cmd:"" name:"config" group:"program" help:"Make, show, check or edit the config file of mappings."`
	Service    serviceCmd    `cmd:"" group:"program" help:"Have snapsync run as a service, with the login or with the machine."`
	Doctor     doctorCmd     `cmd:"" group:"program" help:"Check the state, the configuration and the remote."`
	Version    versionCmd    `cmd:"" group:"program" help:"Show the version of snapsync and of rclone inside it."`
	Completion completionCmd `cmd:"" group:"program" help:"Print a completion script for a shell."`
}

const shortHelp = `snapsync keeps a remote true to a local directory, one way.

  snapsync plan ~/work --remote mys3:bucket/work         what would be done
  snapsync run --once ~/work --remote mys3:bucket/work   do it
  snapsync status                                        how things stand
  snapsync config init                                   write it down; then just 'snapsync run'

The remote is anything that rclone can reach, or just a directory: /mnt/backup/work.
Deleted files are retained there unless --complete-sync says otherwise.

'snapsync --help' lists all commands, 'snapsync run --help' has more examples.
`

const description = `snapsync keeps a remote true to a local directory, one way. It remembers what the remote has
acknowledged, so that a run looks at the local tree only, moves what was renamed instead of sending it,
and never deletes because of something it could not see.`

var groups = []kong.Group{
	{Key: "commands", Title: "Commands:"},
	{Key: "sync", Title: "Synchronising:"},
	{Key: "look", Title: "Looking:"},
	{Key: "steer", Title: "Steering:"},
	{Key: "program", Title: "The program:"},
	{Key: "which", Title: "Which mapping:"},
	{Key: "what", Title: "What is mirrored:"},
	{Key: "safety", Title: "Safety:"},
	{Key: "transfer", Title: "Transfers:"},
	{Key: "filter", Title: "Filters, as in rclone:"},
	{Key: "watch", Title: "Watching:"},
	{Key: "output", Title: "Output:"},
	{Key: "global", Title: "Everywhere:"},
}

// execute parses args and runs the command that they name.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == complete.Command {
		grammar().Answer(ctx, args[1:], stdout)
		return nil
	}
	args = rewrite(args)
	if len(args) == 0 {
		_, err := io.WriteString(stdout, shortHelp)
		return err
	}
	if err := settings.CheckEncoding(args); err != nil {
		return err
	}
	c := &cli{}
	parser, err := newParser(c, stdout, stderr)
	if err != nil {
		return fmt.Errorf("build command line: %w", err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return settings.UsageOf(err, args, parser.Model)
	}
	given := settings.GivenFlags(parsed)
	if err := settings.ReadLists(parsed, given); err != nil {
		return err
	}
	if !settings.IsAbout(parsed, "version", "completion") {
		if err := settings.CheckVariables(parser.Model); err != nil {
			return err
		}
	}
	p := &console.Printer{Out: stdout, Err: stderr, JSON: c.JSON, Quiet: c.Quiet}
	w := &world{Printer: p, Resolver: &settings.Resolver{
		Globals: &c.Globals, Ctx: ctx, Model: parser.Model, Given: given, Printer: p,
		AskPassword: console.IsTerminal(os.Stdin) && console.IsTerminal(stderr),
	}}
	if err := w.Configure(parsed); err != nil {
		// What looks at, or steers, what runs works with a file that is wrong by now: what runs goes on with the file that it
		// read, and the mappings are known by their state.
		if !settings.IsAbout(parsed, "status", "pause", "resume", "sync", "stop", "retry") || !someRun(w.Resolver) {
			return err
		}
		w.WithoutFile = true
		fmt.Fprintf(stderr, "snapsync: what runs goes on with the config file as it was: %v\n", err)
	}
	log, err := c.LogConfig()
	if err != nil {
		return err
	}
	w.screen = &console.Screen{Out: stderr}
	if w.Log, w.lines, err = console.OpenLog(log, w.screen); err != nil {
		return err
	}
	defer w.lines.To(nil)
	w.Own = settings.FindOwn(c.LogFile, stdout, stderr)
	return parsed.Run(w)
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("snapsync"),
		kong.Description(description),
		kong.DefaultEnvars("SNAPSYNC"),
		kong.PostBuild(settings.AddRcloneVariables),
		kong.ExplicitGroups(groups),
		kong.Writers(stdout, stderr),
		kong.Exit(os.Exit),
		kong.Help(help.Printer(groups)),
		kong.Vars{"version": versionLine()},
	)
}

// grammar is the command line for completion.
func grammar() complete.Grammar {
	return complete.Grammar{Rewrite: rewrite, New: func() (*kong.Kong, *settings.Globals, error) {
		c := &cli{}
		parser, err := newParser(c, io.Discard, io.Discard)
		return parser, &c.Globals, err
	}}
}

// rewrite understands `help` and `help COMMAND`, which people type.
func rewrite(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		return append(args[1:len(args):len(args)], "--help")
	}
	return args
}
