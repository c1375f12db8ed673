package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"slices"
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
	// Emit, for a scan against an empty base, is given the changes in pieces as they are found, each
	// sorted like Head.Changes, which stays empty: so a first run needs no memory for all of them at
	// once. It is not called concurrently; an error from it ends the scan. nil: they are collected. It
	// is of no use with Within.
	Emit func([]Change) error
	// NewHash returns a new hash of the given type, or nil where it has none. It is for HashFile; nil:
	// XXH3, MD5, SHA-1 and SHA-256.
	NewHash func(HashType) hash.Hash
}

// Head is what the source holds now, as its difference from the base.
type Head struct {
	// Changes are sorted by ComparePaths. They name every path whose stat, read now, does not prove
	// that it is as the base says, and every path of the base that is proved absent. Retained
	// entries of the base whose path is absent are no change without Config.Mirror, unless a file
	// took the place of a directory above them. Adopted entries always are one.
	Changes []Change
	// Unproven are the directories beneath which absence proves nothing. No Change with a nil New
	// lies beneath one of them.
	Unproven []Unproven
	// Problems are the paths that could not be looked at; none of them is in Changes.
	Problems []Problem
	// Mounts are the file systems mounted inside the source, path to file-system id, as the next scan
	// is to be given them in Config.Mounts: those that were found, but those that were expected
	// where the scan did not look, and where files are kept because something else was found.
	Mounts map[string]uint64
	Stats  Stats
}

// Unproven is a path at which and beneath which nothing may be deleted, and why. It need not be a
// directory: see Scan on what is skipped.
type Unproven struct {
	Path   string
	Reason string // for a person: "permission denied", "the file system mounted there is gone", …
	Kept   int64  // files of the base at or beneath it that the scan did not see
	Mount  bool   // because of what is mounted there, or is not any more: a person can approve it
	Unread bool   // it could not be looked at, and is in Problems as well; otherwise it was, and is not what it was
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

// Scan compares the directory cfg.Root with the base and returns the difference.
//
// An entry is unchanged, and not reported, if the base trusts its own record of it (not Racy, Retained
// or Adopted), the stat is the same and the permissions are; with cfg.Checksum no file is. A directory
// is unchanged if it is the same directory. A path of another kind than before is one Change with
// both entries, and everything beneath an old or new directory is absent or new. Where the source has
// what the scan skips (a link, a socket, what could not be looked at), the path is neither present
// nor absent: what the base has there stays, as Unproven. What the filter excludes does not exist, on
// either side. What changes while it is looked at is left to the next scan.
//
// The base must not change before Scan returns. Scan returns an error, and nothing else, if the root
// cannot be read (ErrSourceGone), if the base cannot, or if ctx is done. No goroutine outlives it.
func Scan(ctx context.Context, cfg Config, base Base) (*Head, error) {
	return scan(ctx, cfg, base, openDirectory)
}

func scan(ctx context.Context, cfg Config, base Base, open opener) (*Head, error) {
	p := newPool(cfg, base, open)
	defer p.close()
	if err := p.work(ctx); err != nil {
		return nil, fmt.Errorf("scan source: %w", err)
	}
	return gather(&p.cfg, p.workers), nil
}

// gather puts together what the workers found.
func gather(cfg *Config, workers []*worker) *Head {
	h := &Head{}
	var arenas []*arena
	var found []mounted
	for _, w := range workers {
		arenas = append(arenas, &w.arena)
		found = append(found, w.mounts...)
		h.Problems = append(h.Problems, w.problems...)
		h.Stats.add(w.stats)
		for _, d := range w.unprovens {
			kept := d.kept.Load()
			if kept == 0 && d.mount {
				continue // nothing is at stake, and remember does what is right
			}
			h.Unproven = append(h.Unproven, Unproven{Path: d.path, Reason: d.reason, Kept: kept, Mount: d.mount, Unread: d.unread})
		}
	}
	h.Changes = sorted(arenas)
	h.Mounts = remember(cfg.Mounts, found)
	slices.SortFunc(h.Problems, func(a, b Problem) int { return ComparePaths(a.Path, b.Path) })
	slices.SortFunc(h.Unproven, func(a, b Unproven) int {
		return cmp.Or(ComparePaths(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	return h
}

func (s *Stats) add(o Stats) {
	s.Files += o.Files
	s.Dirs += o.Dirs
	s.Bytes += o.Bytes
	s.Symlinks += o.Symlinks
	s.Special += o.Special
	s.Excluded += o.Excluded
}
