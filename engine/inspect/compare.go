package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Report is how the remote differs from the base.
type Report struct {
	Listed   int64        // paths on the remote
	Checked  int64        // files of the base that were compared
	Unknown  int64        // of them, those that nothing vouched for but the size or, with Checksum, anything but the content
	Missing  []Difference // the base has it, the remote does not
	Differs  []Difference // both have it, and not the same
	Extra    []Difference // the remote has it, the base does not
	Repaired int64        // entries of the base that were corrected

	caps  remote.Caps
	found map[string]remote.Object // what differs, as it is there
}

// Difference is one path on which the remote and the base disagree.
type Difference struct {
	Path string `json:"path"`
	What string `json:"what"`
}

// Clean reports whether the remote is as the base says.
func (r *Report) Clean() bool { return len(r.Missing)+len(r.Differs)+len(r.Extra) == 0 }

// Compare lists the remote once and compares it with the base. It changes nothing; Repair does. The listing is held in memory:
// this is not the steady state. checksum: where the remote gives a hash, the local files are read to compare it.
func Compare(ctx context.Context, cfg Config, checksum bool) (*Report, error) {
	c := comparison{
		Config: cfg, checksum: checksum, left: make(map[string]remote.Object), links: make(map[string]bool),
		report: Report{caps: cfg.Caps, found: make(map[string]remote.Object)},
	}
	cfg.Phase("listing the remote")
	err := c.Conn.List(ctx, func(there remote.Object) error {
		c.left[there.Path] = there
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the remote: %w", err)
	}
	c.report.Listed = int64(len(c.left))
	cfg.Phase("comparing")
	err = c.Journal.Walk(ctx, func(path string, base *snapshot.Entry) error { return c.compare(ctx, path, base) })
	if err != nil {
		return nil, fmt.Errorf("compare with the base: %w", err)
	}
	c.addExtra()
	return &c.report, nil
}

// comparison is one of a listing of the remote with the base.
type comparison struct {
	Config
	checksum bool
	left     map[string]remote.Object // of the listing: what the base was not seen to have
	links    map[string]bool          // that --links has once sent: without it a listing has none, or files of other names
	report   Report
}

// compare compares what the base has at path.
func (c *comparison) compare(ctx context.Context, path string, base *snapshot.Entry) error {
	there, ok := c.left[path]
	delete(c.left, path)
	if base.Kind == snapshot.Dir {
		if ok && there.Entry.Kind != snapshot.Dir && !c.Caps.BucketBased {
			c.report.Differs = append(c.report.Differs, Difference{path, "a file on the remote, a directory in the base"})
			c.report.found[path] = there
		}
		if ok && there.Entry.Kind != snapshot.Dir && c.Caps.BucketBased {
			// The base has room for one of them: it is told, and neither adopted nor deleted.
			c.report.Extra = append(c.report.Extra, Difference{path, "a file beside the directory of this name; delete it there if it is not wanted"})
		}
		return nil // on most remotes a directory is there because its files are
	}
	if base.Kind == snapshot.Symlink && c.Scan.Links != snapshot.KeepLinks {
		c.links[path] = true
		return nil
	}
	c.report.Checked++
	if !ok && unlistable(path) {
		// No listing in XML can show such a name. A request for it can.
		var err error
		if there, err = c.Conn.Stat(ctx, path); err != nil && !errors.Is(err, remote.ErrNotFound) {
			return fmt.Errorf("look for %q: %w", path, err)
		}
		ok = err == nil
	}
	if !ok {
		c.report.Missing = append(c.report.Missing, Difference{path, "not on the remote"})
		return nil
	}
	what, sure, err := c.differs(ctx, path, base, &there)
	if what != "" {
		c.report.Differs = append(c.report.Differs, Difference{path, what})
		if !remote.KnowsMtime(base) || c.Caps.MayHold(there.Entry.Mtime, base.Mtime) {
			there.Entry.Mtime, there.Uploaded = 0, time.Time{} // it vouches for nothing here
		}
		c.report.found[path] = there
	} else if !sure {
		c.report.Unknown++
	}
	return err
}

// unlistable reports whether a path has what XML 1.0 cannot carry.
func unlistable(path string) bool {
	return !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff })
}

// addExtra adds the files left over of the listing that are this mapping's business, sorted.
func (c *comparison) addExtra() {
	var paths []string
	for path, there := range c.left {
		entry := there.Adopted(&c.Caps)
		link, isLink := strings.CutSuffix(path, remote.LinkSuffix)
		if entry.Kind == snapshot.Dir || there.Temporary || excluded(c.Scan.Filter, path, &entry) || isLink && c.links[link] {
			continue
		}
		c.report.found[path] = there
		paths = append(paths, path)
	}
	slices.SortFunc(paths, snapshot.ComparePaths)
	for _, path := range paths {
		c.report.Extra = append(c.report.Extra, Difference{path, "not in the base"})
	}
}

// differs compares one file. It reports what differs, if anything, and whether more than the size
// vouches for it if nothing does.
func (c *comparison) differs(ctx context.Context, path string, base *snapshot.Entry, there *remote.Object) (what string, sure bool, err error) {
	now := &there.Entry
	timed := c.Caps.KeepsTimes() && now.Mtime != 0 && remote.KnowsMtime(base) // both say when it was modified
	switch {
	case now.Kind != base.Kind:
		return fmt.Sprintf("a %v on the remote, a %v in the base", now.Kind, base.Kind), true, nil
	case now.Size != base.Size:
		return fmt.Sprintf("size %d on the remote, %d in the base", now.Size, base.Size), true, nil
	case timed && !c.Caps.MayHold(now.Mtime, base.Mtime):
		return fmt.Sprintf("modified %v on the remote, %v in the base", now.ModTime().UTC(), base.ModTime().UTC()), true, nil
	case now.HashType == snapshot.NoHash && c.checksum:
		// The listing gave none: the content itself is asked for, whatever it costs.
		if now.HashType, now.Hash, err = c.Conn.Hash(ctx, path, snapshot.XXH3); err != nil {
			return "", false, fmt.Errorf("hash %q on the remote: %w", path, err)
		}
	}
	if now.HashType != snapshot.NoHash && now.HashType == base.HashType {
		return differsIf(now.Hash != base.Hash, now.HashType), true, nil
	}
	if !c.checksum || now.HashType == snapshot.NoHash || base.Flags.Has(snapshot.Retained) {
		return "", timed && !c.checksum, nil
	}
	local, hashes, err := snapshot.HashFile(ctx, c.Scan, path, now.HashType)
	if err != nil || !local.SameContent(base) {
		return "", false, ctx.Err() // the source has moved on: the next run's business
	}
	return differsIf(hashes[now.HashType] != now.Hash, now.HashType), true, nil
}

func differsIf(differs bool, t snapshot.HashType) string {
	if !differs {
		return ""
	}
	return t.String() + " differs"
}

// Repair makes the base in j say what the remote holds. What is missing is forgotten, so that the next
// run sends it; the rest is adopted: what differs is then compared with the source, and replaced like
// any older content, and what is extra is retained or deleted. Foreign: only once that is approved.
func (r *Report) Repair(j *journal.Journal, foreign bool) error {
	var fixes []journal.Refresh
	for _, d := range r.Missing {
		fixes = append(fixes, journal.Refresh{Path: d.Path})
	}
	for _, d := range slices.Concat(r.Differs, r.Extra) {
		there, ok := r.found[d.Path]
		if !ok {
			continue // it stands beside a directory
		}
		entry := there.Adopted(&r.caps)
		was, err := j.Lookup(d.Path)
		if err != nil {
			return err
		}
		if was == nil && foreign || was != nil && was.Flags.Has(snapshot.Foreign) {
			entry.Flags |= snapshot.Foreign
		}
		fixes = append(fixes, journal.Refresh{Path: d.Path, Entry: &entry})
	}
	if err := j.Repair(fixes); err != nil {
		return err
	}
	r.Repaired = int64(len(fixes))
	return nil
}
