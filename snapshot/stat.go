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
		return nil, lost("stat", path, fs.ErrNotExist, err)
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

// Survived reports whether the file now at path, relative to cfg.Root, certainly is the one that old was, whatever became
// of its name and content: the inode, whose number alone proves nothing (see SameFile), was born no later than old was last
// changed; before that if old is Racy: another one may be of the same tick. False where no births are told.
func Survived(cfg Config, path string, old *Entry) bool {
	now, err := Stat(cfg, path)
	if err != nil || now.Ino == 0 || now.Ino != old.Ino || now.Dev != old.Dev || now.Kind != old.Kind {
		return false
	}
	a, err := openAnchor(cfg.Root)
	if err != nil {
		return false
	}
	defer a.Close()
	born := a.birth(path, cfg.Links == FollowLinks)
	return born != 0 && (born < old.Ctime || born == old.Ctime && !old.Flags.Has(Racy))
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
func (cfg *Config) statIn(a *anchor, path string) (e Entry, err error) {
	if err = a.stat(path, cfg.Links == FollowLinks, &e); err != nil {
		err = lost("stat", path, fs.ErrNotExist, err)
	}
	return e, err
}

// lost is the error of what was done with path; one of a path that holds nothing wraps gone as well.
func lost(what, path string, gone, err error) error {
	if vanished(err) {
		return fmt.Errorf("%s %q: %w: %w", what, path, gone, err)
	}
	return fmt.Errorf("%s %q: %w", what, path, err)
}
