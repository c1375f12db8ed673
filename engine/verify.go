package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// VerifyOptions say how hard to look and what to do about it.
type VerifyOptions struct {
	Repair bool // make the base tell the truth, so that the next Run repairs the remote
	// refuseEmpty fails rather than believe that the remote has lost everything.
	refuseEmpty bool
	Checksum    bool // where the remote gives a hash, read the local files to compare it
}

// Report is how the remote differs from the base.
type Report struct {
	Listed   int64        // paths on the remote
	Checked  int64        // files of the base that were compared
	Unknown  int64        // of them, those that nothing vouched for but the size or, with Checksum, anything but the content
	Missing  []Difference // the base has it, the remote does not
	Differs  []Difference // both have it, and not the same
	Extra    []Difference // the remote has it, the base does not
	Repaired int64        // entries of the base that were corrected
}

// Difference is one path on which the remote and the base disagree.
type Difference struct {
	Path string `json:"path"`
	What string `json:"what"`
}

// Clean reports whether the remote is as the base says.
func (r *Report) Clean() bool { return len(r.Missing)+len(r.Differs)+len(r.Extra) == 0 }

// Verify lists the remote once and compares it with the base. It changes nothing on the remote; with
// Repair it corrects the base. The listing is held in memory: this is not the steady state.
func (e *Engine) Verify(ctx context.Context, opt VerifyOptions) (*Report, error) {
	r, err := e.newRun()
	if err != nil {
		return nil, err
	}
	return r.verify(ctx, opt)
}

func (r *run) verify(ctx context.Context, opt VerifyOptions) (*Report, error) {
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	if opt.Repair { // what is in doubt would be corrected twice, and differently
		if err := r.recover(ctx); err != nil {
			return nil, err
		}
	}
	c := comparison{run: r, checksum: opt.Checksum, left: make(map[string]remote.Object), found: make(map[string]remote.Object)}
	r.phase("listing the remote")
	err := r.conn.List(ctx, func(there remote.Object) error {
		c.left[there.Path] = there
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the remote: %w", err)
	}
	c.report.Listed = int64(len(c.left))
	r.phase("comparing")
	err = r.cfg.Journal.Walk(ctx, func(path string, base *snapshot.Entry) error { return c.compare(ctx, path, base) })
	if err != nil {
		return nil, fmt.Errorf("compare with the base: %w", err)
	}
	c.addExtra()
	report := &c.report
	switch {
	case !opt.Repair:
		return report, nil
	case report.Clean():
		return report, r.recordPlaces()
	case (opt.refuseEmpty || r.otherDisk) && report.Listed == 0:
		return report, fmt.Errorf("%w: %w: it holds nothing, and should hold %d files: is its disk mounted?", remote.ErrOffline, remote.ErrNewRemote, report.Checked)
	}
	if err := c.repair(); err != nil {
		return report, err
	}
	return report, r.recordPlaces()
}

// comparison is that of a listing of the remote with the base.
type comparison struct {
	*run
	checksum bool                     // VerifyOptions.Checksum
	left     map[string]remote.Object // of the listing: what the base was not seen to have
	found    map[string]remote.Object // what differs, as it is there
	report   Report
}

// compare compares what the base has at path.
func (c *comparison) compare(ctx context.Context, path string, base *snapshot.Entry) error {
	there, ok := c.left[path]
	delete(c.left, path)
	if base.Kind == snapshot.Dir {
		if ok && there.Entry.Kind != snapshot.Dir && !c.caps.BucketBased {
			c.report.Differs = append(c.report.Differs, Difference{path, "a file on the remote, a directory in the base"})
			c.found[path] = there
		}
		return nil // on most remotes a directory is there because its files are
	}
	c.report.Checked++
	if !ok {
		c.report.Missing = append(c.report.Missing, Difference{path, "not on the remote"})
		return nil
	}
	what, sure, err := c.differs(ctx, path, base, &there)
	if what != "" {
		c.report.Differs = append(c.report.Differs, Difference{path, what})
		if !remote.KnowsMtime(base) || c.caps.MayHold(there.Entry.Mtime, base.Mtime) {
			there.Entry.Mtime, there.Uploaded = 0, time.Time{} // it vouches for nothing here
		}
		c.found[path] = there
	} else if !sure {
		c.report.Unknown++
	}
	return err
}

// addExtra adds the files left over of the listing that are this mapping's business, sorted.
func (c *comparison) addExtra() {
	var paths []string
	for path, there := range c.left {
		if there.Entry.Kind == snapshot.Dir || there.Temporary || excluded(c.cfg.Scan.Filter, path, &there.Entry) {
			continue
		}
		c.found[path] = there
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
	timed := keepsTimes(&c.caps) && now.Mtime != 0 && remote.KnowsMtime(base) // both say when it was modified
	switch {
	case now.Kind != base.Kind:
		return fmt.Sprintf("a %v on the remote, a %v in the base", now.Kind, base.Kind), true, nil
	case now.Size != base.Size:
		return fmt.Sprintf("size %d on the remote, %d in the base", now.Size, base.Size), true, nil
	case timed && !c.caps.MayHold(now.Mtime, base.Mtime):
		return fmt.Sprintf("modified %v on the remote, %v in the base", now.ModTime().UTC(), base.ModTime().UTC()), true, nil
	case now.HashType == snapshot.NoHash && c.checksum:
		// The listing gave none: the content itself is asked for, whatever it costs.
		if now.HashType, now.Hash, err = c.conn.Hash(ctx, path, snapshot.XXH3); err != nil {
			return "", false, fmt.Errorf("hash %q on the remote: %w", path, err)
		}
	}
	if now.HashType != snapshot.NoHash && now.HashType == base.HashType {
		return differsIf(now.Hash != base.Hash, now.HashType), true, nil
	}
	if !c.checksum || now.HashType == snapshot.NoHash || base.Flags.Has(snapshot.Retained) {
		return "", timed && !c.checksum, nil
	}
	local, hashes, err := snapshot.HashFile(ctx, c.cfg.Scan, path, now.HashType)
	if err != nil || !local.SameContent(base) {
		return "", false, ctx.Err() // the source has moved on: the next run's business
	}
	return differsIf(hashes[now.HashType] != now.Hash, now.HashType), true, nil
}

// recordPlaces has the journal remember where the remote is, which holds what the base says.
func (r *run) recordPlaces() error {
	if err := r.takePlaces(); err != nil {
		return err
	}
	return r.save()
}

func differsIf(differs bool, t snapshot.HashType) string {
	if !differs {
		return ""
	}
	return t.String() + " differs"
}

// keepsTimes reports whether the remote's mtimes are those of the base: where an mtime cannot be set
// without sending the file again, a touched file keeps its old one on the remote.
func keepsTimes(caps *remote.Caps) bool { return caps.Precision > 0 && caps.SetModTime }

// repair makes the base say what the remote holds. What is missing is forgotten, so that the next
// run sends it; the rest is adopted: what differs is then compared with the source, and replaced like
// any older content, and what is extra is retained or deleted.
func (c *comparison) repair() error {
	var fixes []journal.Refresh
	for _, d := range c.report.Missing {
		fixes = append(fixes, journal.Refresh{Path: d.Path})
	}
	for _, d := range slices.Concat(c.report.Differs, c.report.Extra) {
		there := c.found[d.Path]
		entry := adopted(&c.caps, &there)
		fixes = append(fixes, journal.Refresh{Path: d.Path, Entry: &entry})
	}
	if err := c.cfg.Journal.Repair(fixes); err != nil {
		return err
	}
	c.report.Repaired = int64(len(fixes))
	return nil
}

// excluded reports whether the filter keeps path out of the mapping, itself or by a directory above.
func excluded(filter snapshot.Filter, path string, entry *snapshot.Entry) bool {
	if filter == nil {
		return false
	}
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if !filter.Dir(dir) {
			return true
		}
	}
	if entry.Kind == snapshot.Dir {
		return !filter.Dir(path)
	}
	return !filter.File(path, entry.Size, entry.ModTime())
}
