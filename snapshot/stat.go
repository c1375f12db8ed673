package snapshot

import (
	"fmt"
	"io/fs"
)

// Stat returns what path, relative to cfg.Root, holds now, without a hash. The error wraps
// fs.ErrNotExist if it holds nothing, or nothing of a kind that a scan with cfg would report.
func Stat(cfg Config, path string) (*Entry, error) {
	e, err := cfg.stat(path)
	if err != nil {
		return nil, err
	}
	if e.Kind == 0 || e.Kind == Symlink && cfg.Links != KeepLinks {
		return nil, fmt.Errorf("stat %q: %w: a link or special file, which is skipped", path, fs.ErrNotExist)
	}
	return &e, nil
}

// stat returns what path holds now, of whatever kind. The error wraps fs.ErrNotExist also where a
// directory on the way to it is none any more.
func (cfg *Config) stat(path string) (Entry, error) {
	var e Entry
	err := statFile(cfg.Root, path, cfg.Links == FollowLinks, &e)
	switch {
	case vanished(err):
		return e, fmt.Errorf("stat %q: %w: %w", path, fs.ErrNotExist, err)
	case err != nil:
		return e, fmt.Errorf("stat %q: %w", path, err)
	}
	return e, nil
}
