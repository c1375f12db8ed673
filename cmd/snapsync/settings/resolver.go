// Package settings turns what a person gave into what is meant: flags, variables, the config file and the state directory.
//
//	flags.go       the groups of flags that commands share, and Spec, a mapping by flags; each is a key of the config file as well
//	keys.go        flags as keys of the config file, and which were given from outside
//	variables.go   the environment: rclone's variables, lists, and what nothing reads
//	habits.go      answers to what people type from habit of rclone
//	which.go       the mappings that `run` and `plan` mean
//	fromfile.go    a mapping of the config file: defaults, its table, what was given
//	together.go    mappings that undo each other's work are refused
//	choose.go      the mappings that every other command means,
//	candidates.go  of those that the config file and the state directory have
//	mapping.go     a source and a remote, and where state and backups may be
//	prepare.go     what flags mean for the engine,
//	rclone.go      for rclone and the Connection,
//	log.go         for the log
//	ownfiles.go    the files that this process writes to are left out
//	remember.go    flags kept in the state, for commands that come later
//	made.go        what else a mapping is made of, and whether that changed
//	process.go     the keys of the process, and what a reload may change
//	arguments.go   flags for a process that somebody else starts
//
// What can be refused is refused here, before anything is created or anybody asked. The package prints nothing but headings, and
// steers nobody.
package settings

import (
	"context"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
)

// Resolver finds out what a person means: by flags, variables, the config file and the state directory, in this order.
type Resolver struct {
	*Globals
	Ctx     context.Context
	Given   map[string]Origin // flags that were set from outside
	Model   *kong.Application
	Printer *console.Printer
	Log     *slog.Logger
	Own     *OwnFiles        // what this process writes to, which is never mirrored; nil: nothing is
	written map[string]*Spec // mappings of the config file as known read them last, by Mapping.ID

	AskPassword bool // a person is there who can be asked for the password of rclone's configuration
	WithoutFile bool // the config file is wrong, and this command goes on all the same
}
