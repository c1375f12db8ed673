package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"
	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/cmd/snapsync/config"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// configPath is where the config file is, or would be.
func (g *globals) configPath() string {
	if g.Mappings != "" {
		return g.Mappings
	}
	return filepath.Join(xdg.ConfigHome, "snapsync", "config.toml")
}

// configFile reads the config file. The error is fs.ErrNotExist if there is none, which is only an
// error where one was named.
func (r *resolver) configFile() (*config.File, error) {
	path := r.configPath()
	if _, err := os.Stat(path); err != nil && r.Mappings != "" {
		return nil, exit.Usage("--mappings names the config file; 'snapsync config init' makes one", "read mappings: %v", err)
	}
	file, err := r.schema().Load(path)
	return file, asUsage(err)
}

// asUsage makes what is wrong with a config file a usage error.
func asUsage(err error) error {
	if problems, ok := err.(config.Problems); ok {
		return &exit.Failure{Status: exit.StatusUsage, Err: problems, Hint: "'snapsync config edit' opens the file, 'snapsync config check' looks for mistakes"}
	}
	return err
}

// configure sets what the config file says about the process, unless a flag or a variable says it.
func (r *resolver) configure(parsed *kong.Context) error {
	file, err := r.configFile()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || canDoWithout(parsed) {
			return nil
		}
		return r.goesOn(parsed, err)
	}
	// The log file is that of the process that stays, which a service is: a person who asks something looks
	// at the terminal, and only one process can rotate a file.
	mine := func(name string) bool {
		return !strings.HasPrefix(name, "log-file") || isAbout(parsed, "run", "service")
	}
	var flags []*kong.Flag
	for _, f := range parsed.Flags() {
		if r.given[f.Name] == byNothing && mine(f.Name) {
			flags = append(flags, f)
		}
	}
	err = asUsage(r.apply(file, flags, file.Process).Err())
	if err != nil && canDoWithout(parsed) {
		return nil
	}
	return r.goesOn(parsed, err)
}

// goesOn lets the commands that look at, or steer, what runs do so although the config file is wrong by
// now: what runs goes on with the one that it read. They then know the mappings by their state.
func (r *resolver) goesOn(parsed *kong.Context, err error) error {
	if err == nil || !isAbout(parsed, "status", "pause", "resume", "sync", "stop", "retry") || !r.someRun() {
		return err
	}
	r.withoutFile = true
	fmt.Fprintf(r.printer.Err, "snapsync: what runs goes on with the config file as it was: %v\n", err)
	return nil
}

// canDoWithout reports whether a command works with a config file that is wrong, or looks for what is
// wrong itself.
func canDoWithout(parsed *kong.Context) bool {
	return isAbout(parsed, "config", "service", "version", "completion", "doctor")
}

// isAbout reports whether the command is one of these or beneath it.
func isAbout(parsed *kong.Context, commands ...string) bool {
	for n := parsed.Selected(); n != nil; n = n.Parent {
		if slices.Contains(commands, n.Name) {
			return true
		}
	}
	return false
}
