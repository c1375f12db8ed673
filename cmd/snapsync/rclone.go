package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/snapshot"
)

// startRclone starts rclone inside this process. It may ask for the password of its configuration
// only where a person can see the question and answer it.
func (a *app) startRclone() error {
	if _, err := os.Stat(a.Config); a.Config != "" && errors.Is(err, fs.ErrNotExist) {
		return usage("--config names rclone's configuration file", "%s does not exist", show(a.Config))
	}
	err := backends.Init(a.ctx, backends.Settings{
		AskPassword:     isTerminal(os.Stdin) && isTerminal(a.stderr),
		PasswordCommand: a.PasswordCommand,
		ConfigFile:      a.Config,
		Log:             a.log,
	})
	if err != nil {
		return &failure{status: statusFatal, err: fmt.Errorf("start rclone: %w", err)}
	}
	return nil
}

// remoteConfig is what the flags mean for the Connection.
func (a *app) remoteConfig(m *mapping, f *syncFlags, bwlimit string) (backends.Config, error) {
	options, err := a.rcloneOptions()
	if err != nil {
		return backends.Config{}, err
	}
	return backends.Config{
		Remote:    m.open,
		Source:    m.source,
		Options:   options,
		Links:     f.Links,
		Metadata:  f.Metadata,
		BackupDir: f.BackupDir,
		Suffix:    f.Suffix,
		BwLimit:   bwlimit,
		Log:       a.log,
	}, nil
}

// filter is nil if everything belongs to the mapping.
func (f *filterFlags) filter() (snapshot.Filter, error) {
	filter, err := backends.NewFilter(backends.FilterOptions{
		Include: f.Include, IncludeFrom: f.IncludeFrom, Exclude: f.Exclude, ExcludeFrom: f.ExcludeFrom,
		Filter: f.Filter, FilterFrom: f.FilterFrom, FilesFrom: f.FilesFrom, FilesFromRaw: f.FilesFromRaw,
		ExcludeIfPresent: f.ExcludeIfPresent, MinSize: f.MinSize, MaxSize: f.MaxSize, MinAge: f.MinAge, MaxAge: f.MaxAge,
		IgnoreCase: f.IgnoreCase,
	})
	if err != nil {
		return nil, &failure{status: statusUsage, err: err, hint: "the rules are rclone's: https://rclone.org/filtering/"}
	}
	return filter, nil
}
