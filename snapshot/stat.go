package snapshot

import (
	"fmt"
	"io/fs"
	"path/filepath"
)

// SkippedError says that a path holds something that a scan counts and skips. It wraps fs.ErrNotExist:
// to the mapping there is nothing.
type SkippedError struct {
	Path  string
	Entry Entry  // Kind is Symlink, or 0 for what is no file, directory or link
	What  string // "a symlink", "a fifo", …
}

func (e *SkippedError) Error() string {
	return fmt.Sprintf("stat %q: %s, which is skipped", e.Path, e.What)
}

// Unwrap returns fs.ErrNotExist.
func (e *SkippedError) Unwrap() error { return fs.ErrNotExist }

// Stat returns what path, relative to cfg.Root, holds now, without a hash. The error wraps
// fs.ErrNotExist if it holds nothing, and is a *SkippedError if it holds nothing of a kind that a scan
// with cfg would report.
func Stat(cfg Config, path string) (*Entry, error) {
	a, err := openAnchor(cfg.Root)
	if err != nil {
		return nil, noStat(path, err)
	}
	defer a.Close()
	e, err := cfg.statIn(a, path)
	switch {
	case err != nil:
		return nil, err
	case e.Kind == Symlink && cfg.Links != KeepLinks:
		return nil, &SkippedError{Path: path, Entry: e, What: "a symlink"}
	case e.Kind == 0:
		return nil, &SkippedError{Path: path, Entry: e, What: cfg.whatIs(path)}
	}
	return &e, nil
}

// whatIs names, for a person, what is neither a file nor a directory nor a link.
func (cfg *Config) whatIs(path string) string {
	info, err := infoOf(filepath.Join(cfg.Root, filepath.FromSlash(path)), cfg.Links == FollowLinks)
	if err != nil {
		return "a socket, fifo or device" // its path may be longer than the system takes
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a fifo"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// statIn returns what path beneath a holds now, of whatever kind. The error wraps fs.ErrNotExist also where a directory
// on the way to path is none any more.
func (cfg *Config) statIn(a *anchor, path string) (Entry, error) {
	var e Entry
	if err := a.stat(path, cfg.Links == FollowLinks, &e); err != nil {
		return e, noStat(path, err)
	}
	return e, nil
}

func noStat(path string, err error) error {
	if vanished(err) {
		return fmt.Errorf("stat %q: %w: %w", path, fs.ErrNotExist, err)
	}
	return fmt.Errorf("stat %q: %w", path, err)
}
