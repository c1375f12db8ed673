package snapshot

import (
	"fmt"
	"io/fs"
)

// Stat returns what path, relative to cfg.Root, holds now, without a hash. The error wraps
// fs.ErrNotExist if it holds nothing, or nothing of a kind that a scan with cfg would report.
func Stat(cfg Config, path string) (*Entry, error) {
	var e Entry
	if err := statFile(cfg.Root, path, cfg.Links == FollowLinks, &e); err != nil {
		if vanished(err) {
			return nil, fmt.Errorf("stat %q: %w: %w", path, fs.ErrNotExist, err)
		}
		return nil, fmt.Errorf("stat %q: %w", path, err)
	}
	if e.Kind == 0 || e.Kind == Symlink && cfg.Links != KeepLinks {
		return nil, fmt.Errorf("stat %q: %w: a link or special file, which is skipped", path, fs.ErrNotExist)
	}
	return &e, nil
}
