package snapshot

import (
	"errors"
	"hash"
	"log/slog"
	"runtime"
	"time"
)

// LinkMode says what a symbolic link in the source is, in rclone's terms.
type LinkMode uint8

const (
	SkipLinks   LinkMode = iota // counted and skipped: the default
	KeepLinks                   // --links: an entry of its own, of kind Symlink
	FollowLinks                 // --copy-links: what it points to
)

// Filter decides which paths belong to the mapping. Both methods are called concurrently.
// Paths are relative to the source, as in Change.
type Filter interface {
	// File reports whether a file or symlink belongs. It may depend on size and mtime.
	File(path string, size int64, mtime time.Time) bool
	// Dir reports whether anything beneath dir can belong; false prunes it unread.
	Dir(path string) bool
	// Markers returns names whose presence in a directory excludes it (--exclude-if-present).
	Markers() []string
}

// Config says what to scan and how.
type Config struct {
	Root          string // the source directory, absolute
	Filter        Filter // nil: everything belongs
	Links         LinkMode
	OneFileSystem bool // do not descend into other file systems (-x)
	Checksum      bool // report every file as a change, so that its content gets compared
	Mirror        bool // report absent retained entries as removed: what was retained has to go now
	Workers       int  // directories read at once; 0: one per CPU, at least 2
	Log           *slog.Logger
	Now           func() time.Time // nil: time.Now
	// Mounts are the file systems mounted inside the source when the base was acknowledged: path to
	// file-system id. The scan compares; see Head.Unproven.
	Mounts map[string]uint64
	// AnyMount accepts whatever is mounted inside the source now: a person approved it.
	AnyMount bool
	// Within limits the scan to these places, in any order; nil: everything is looked at. What lies
	// elsewhere is neither in Changes nor in Stats, and Mounts are what they were there. Problems and
	// Unproven name directories on the way to a scope as well; Kept counts no more than the scopes cover.
	Within []Scope
	// Emit, for a scan against an empty base, is given the changes in pieces as they are found, each sorted like
	// Head.Changes, which stays empty: so a first run needs no memory for all of them at once. Calls of Emit are not
	// concurrent; an error ends the scan. nil: the changes are collected. With Within, Emit is of no use.
	Emit func([]Change) error
	// NewHash, for HashFile, returns a new hash of the given type, or nil where it has none; nil: XXH3, MD5, SHA-1, SHA-256.
	NewHash func(HashType) hash.Hash
}

// withDefaults returns cfg with every zero that means something else replaced.
func (cfg Config) withDefaults() Config {
	if cfg.Workers <= 0 {
		cfg.Workers = max(2, runtime.GOMAXPROCS(0))
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// ErrSourceGone means that the root of the source could not be read at all.
var ErrSourceGone = errors.New("source cannot be read")
