package main

import (
	"context"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
)

// resolver finds out what a person means: by flags, variables, the config file and the state directory, in this order.
type resolver struct {
	*globals
	ctx     context.Context
	given   map[string]origin // flags that were set from outside
	model   *kong.Application
	printer *console.Printer
	log     *slog.Logger
	written map[string]*spec // mappings of the config file as they were read last, by the name of their state

	askPassword bool // a person is there who can be asked for the password of rclone's configuration
	withoutFile bool // the config file is wrong, and this command goes on all the same
}
