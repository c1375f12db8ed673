package settings

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
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/snapshot"
)

// StartRclone starts rclone inside this process. It may ask for the password of its configuration
// only where a person can see the question and answer it.
func (r *Resolver) StartRclone() error {
	if _, err := os.Stat(r.Config); r.Config != "" && errors.Is(err, fs.ErrNotExist) {
		return exit.Usage("--config names rclone's configuration file", "%s does not exist", text.Path(r.Config))
	}
	options, err := r.rcloneOptions()
	if err != nil {
		return err
	}
	if err := rclone.CheckEnvironment(); err != nil {
		return exit.Usage("take it out of the environment of snapsync; docs/from-rclone.md says what is followed", "%w", err)
	}
	err = rclone.Init(r.Ctx, rclone.Settings{
		Options:         options,
		AskPassword:     r.AskPassword,
		PasswordCommand: r.PasswordCommand,
		ConfigFile:      r.Config,
		Log:             r.Log,
	})
	if err != nil {
		return &exit.Failure{Status: exit.StatusFatal, Err: fmt.Errorf("start rclone: %w", err)}
	}
	return nil
}

// RemoteConfig returns what the flags mean for a Connection. bwlimit has rclone's syntax.
func (r *Resolver) RemoteConfig(m *mapping.Mapping, f *SyncFlags, bwlimit string) (backends.Config, error) {
	options, err := r.rcloneOptions()
	if err != nil {
		return backends.Config{}, err
	}
	return backends.Config{
		Remote: m.Remote,
		Source: m.Source,
		Rclone: rclone.Options{
			Options:   options,
			Links:     f.Links,
			Metadata:  f.Metadata,
			BackupDir: f.BackupDir,
			Suffix:    f.Suffix,
		},
		BwLimit:  bwlimit,
		Log:      r.Log,
		StateDir: filepath.Dir(m.Dir),
		Generic:  os.Getenv("SNAPSYNC_ACCELERATE") == "off",
	}, nil
}

// digestOptions identifies the options that decide what a remote can do. They may hold secrets, and what
// is made of them is written down.
func digestOptions(o *rclone.Options) string {
	h := sha256.New()
	backups := o.BackupDir
	if place, _, err := rclone.Canonical(backups); backups != "" && err == nil {
		backups = place // however it is spelt
	}
	fmt.Fprintf(h, "%v %v %q %q", o.Links, o.Metadata, backups, o.Suffix)
	for _, key := range slices.Sorted(maps.Keys(o.Options)) {
		fmt.Fprintf(h, " %q %q", key, o.Options[key])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// bandwidthHint is what to do about a limit that cannot be one.
const bandwidthHint = "--bwlimit has rclone's syntax: https://rclone.org/docs/#bwlimit-bwtimetable"

// LimitBandwidth sets the limit of this process; "" changes nothing.
func (r *Resolver) LimitBandwidth(limit string) error {
	if limit == "" {
		return nil
	}
	if err := r.StartRclone(); err != nil { // it logs what it limits
		return err
	}
	if err := rclone.SetBandwidth(limit); err != nil {
		return &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: bandwidthHint}
	}
	return nil
}

// Rules returns the filter that the flags describe; nil: everything belongs to the mapping.
func (f *FilterFlags) Rules() (snapshot.Filter, error) {
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

// TellYoung has tell called, by several goroutines, for each file that --min-age alone leaves out, with when it is old enough.
func TellYoung(filter snapshot.Filter, tell func(path string, at time.Time)) {
	for {
		switch f := filter.(type) {
		case interface {
			TellYoung(func(path string, at time.Time))
		}:
			f.TellYoung(tell)
			return
		case interface{ Unwrap() snapshot.Filter }:
			filter = f.Unwrap()
		default:
			return
		}
	}
}

// Mirrored returns the filter, less the names that --suffix, without --backup-dir, makes beside the files:
// a file of the source with such a name would be replaced by a backup.
func (f *SyncFlags) Mirrored() (snapshot.Filter, error) {
	filter, err := f.Rules()
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

// Unwrap is for TellYoung.
func (w withoutSuffix) Unwrap() snapshot.Filter { return w.Filter }

func (w withoutSuffix) Dir(path string) bool { return w.Filter == nil || w.Filter.Dir(path) }

func (w withoutSuffix) Markers() []string {
	if w.Filter == nil {
		return nil
	}
	return w.Filter.Markers()
}
