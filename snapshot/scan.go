package snapshot

import (
	"context"
	"errors"
	"log/slog"
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
}

// Head is what the source holds now, as its difference from the base.
type Head struct {
	// Changes are sorted by ComparePaths. They name every path whose stat, read now, does not prove
	// that it is as the base says, and every path of the base that is proved absent. Retained
	// entries of the base whose path is absent are no change. Adopted entries always are one.
	Changes []Change
	// Unproven are the directories beneath which absence proves nothing. No Change with a nil New
	// lies beneath one of them.
	Unproven []Unproven
	// Problems are the paths that could not be looked at; none of them is in Changes.
	Problems []Problem
	// Mounts are the file systems found mounted inside the source: path to file-system id.
	Mounts map[string]uint64
	Stats  Stats
}

// Unproven is a directory beneath which nothing may be deleted, and why.
type Unproven struct {
	Path   string
	Reason string // for a person: "permission denied", "the file system mounted there is gone", …
	Kept   int64  // files of the base beneath it that the scan did not see
}

// Problem is a path that could not be looked at.
type Problem struct {
	Path string
	Err  error
}

// Stats count what a scan met.
type Stats struct {
	Files, Dirs, Bytes int64 // what belongs to the mapping
	Symlinks           int64 // skipped: SkipLinks
	Special            int64 // skipped: sockets, fifos, devices
	Excluded           int64 // skipped by the filter; a pruned directory counts once
}

// ErrSourceGone means that the root of the source could not be read at all.
var ErrSourceGone = errors.New("source cannot be read")

var _ = context.Background
