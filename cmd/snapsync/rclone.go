package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/snapshot"
)

// startRclone starts rclone inside this process. It may ask for the password of its configuration
// only where a person can see the question and answer it.
func (a *app) startRclone() error {
	if _, err := os.Stat(a.Config); a.Config != "" && errors.Is(err, fs.ErrNotExist) {
		return exit.Usage("--config names rclone's configuration file", "%s does not exist", show(a.Config))
	}
	err := rclone.Init(a.ctx, rclone.Settings{
		AskPassword:     isTerminal(os.Stdin) && isTerminal(a.stderr),
		PasswordCommand: a.PasswordCommand,
		ConfigFile:      a.Config,
		Log:             a.log,
	})
	if err != nil {
		return &exit.Failure{Status: exit.StatusFatal, Err: fmt.Errorf("start rclone: %w", err)}
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
		Remote: m.open,
		Source: m.source,
		Rclone: rclone.Options{
			Options:   options,
			Links:     f.Links,
			Metadata:  f.Metadata,
			BackupDir: f.BackupDir,
			Suffix:    f.Suffix,
		},
		BwLimit:  bwlimit,
		Log:      a.log,
		StateDir: filepath.Dir(m.dir),
		Generic:  os.Getenv("SNAPSYNC_ACCELERATE") == "off",
	}, nil
}

// digestOptions identifies the options that decide what a remote can do. They may hold secrets, and what
// is made of them is written down.
func digestOptions(o *rclone.Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v %v %q %q", o.Links, o.Metadata, o.BackupDir, o.Suffix)
	for _, key := range slices.Sorted(maps.Keys(o.Options)) {
		fmt.Fprintf(h, " %q %q", key, o.Options[key])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// checkOptions refuses a bandwidth limit or an option that rclone does not take, before the remote is
// asked: any directory will do to try them on, and opening the source only looks.
func (a *app) checkOptions(c backends.Config) error {
	if len(c.Rclone.Options) == 0 && c.BwLimit == "" {
		return nil
	}
	conn, err := backends.Open(a.ctx, backends.Config{Remote: c.Source, Rclone: rclone.Options{Options: c.Rclone.Options}, BwLimit: c.BwLimit, Log: a.log})
	if err == nil {
		return conn.Close()
	}
	if exit.Of(err).Status != exit.StatusError {
		return err
	}
	return &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "--bwlimit and the options of --rclone have rclone's syntax: https://rclone.org/docs/"}
}

// limitBandwidth sets the limit of this process; "" changes nothing.
func (a *app) limitBandwidth(limit string) error {
	if limit == "" {
		return nil
	}
	if err := a.startRclone(); err != nil { // it logs what it limits
		return err
	}
	if err := rclone.SetBandwidth(limit); err != nil {
		return &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "--bwlimit has rclone's syntax: https://rclone.org/docs/#bwlimit-bwtimetable"}
	}
	return nil
}

// filter is nil if everything belongs to the mapping.
func (f *filterFlags) filter() (snapshot.Filter, error) {
	filter, err := rclone.NewFilter(rclone.FilterOptions{
		Include: f.Include, IncludeFrom: f.IncludeFrom, Exclude: f.Exclude, ExcludeFrom: f.ExcludeFrom,
		Filter: f.Filter, FilterFrom: f.FilterFrom, FilesFrom: f.FilesFrom, FilesFromRaw: f.FilesFromRaw,
		ExcludeIfPresent: f.ExcludeIfPresent, MinSize: f.MinSize, MaxSize: f.MaxSize, MinAge: f.MinAge, MaxAge: f.MaxAge,
		IgnoreCase: f.IgnoreCase,
	})
	if err != nil {
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "the rules are rclone's: https://rclone.org/filtering/"}
	}
	return filter, nil
}

// mirrored is the filter, less the names that --suffix, without --backup-dir, makes beside the files:
// a file of the source with such a name would be replaced by a backup.
func (f *syncFlags) mirrored() (snapshot.Filter, error) {
	filter, err := f.filter()
	if err != nil || f.Suffix == "" || f.BackupDir != "" {
		return filter, err
	}
	return withoutSuffix{filter, f.Suffix}, nil
}

// withoutSuffix is a filter that also leaves out the names of backups.
type withoutSuffix struct {
	snapshot.Filter // nil: everything else belongs
	suffix          string
}

func (w withoutSuffix) File(path string, size int64, mtime time.Time) bool {
	return !strings.HasSuffix(path, w.suffix) && (w.Filter == nil || w.Filter.File(path, size, mtime))
}

func (w withoutSuffix) Dir(path string) bool { return w.Filter == nil || w.Filter.Dir(path) }

func (w withoutSuffix) Markers() []string {
	if w.Filter == nil {
		return nil
	}
	return w.Filter.Markers()
}
