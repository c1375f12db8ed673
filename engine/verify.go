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
	if err := e.connect(ctx); err != nil {
		return nil, err
	}
	if opt.Repair { // what is in doubt would be corrected twice, and differently
		if err := e.recover(ctx); err != nil {
			return nil, err
		}
	}
	target, err := e.listAll(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{Listed: int64(len(target))}
	found := make(map[string]remote.Object) // what differs, as it is there
	e.phase("comparing")
	err = e.cfg.Journal.Walk(ctx, func(path string, base *snapshot.Entry) error {
		there, ok := target[path]
		delete(target, path)
		if base.Kind == snapshot.Dir {
			if ok && there.Entry.Kind != snapshot.Dir && !e.caps.BucketBased {
				report.Differs = append(report.Differs, Difference{path, "a file on the remote, a directory in the base"})
				found[path] = there
			}
			return nil // on most remotes a directory is there because its files are
		}
		report.Checked++
		if !ok {
			report.Missing = append(report.Missing, Difference{path, "not on the remote"})
			return nil
		}
		what, sure, err := e.differs(ctx, path, base, &there, opt.Checksum)
		if what != "" {
			report.Differs = append(report.Differs, Difference{path, what})
			if sameTime(there.Entry.Mtime, base.Mtime, e.caps.Precision) {
				there.Entry.Mtime, there.Uploaded = 0, time.Time{} // it vouches for nothing here
			}
			found[path] = there
		} else if !sure {
			report.Unknown++
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare with the base: %w", err)
	}
	extra := e.extras(target)
	for _, path := range extra {
		report.Extra = append(report.Extra, Difference{path, "not in the base"})
	}
	if !opt.Repair {
		return report, nil
	}
	if report.Clean() {
		return report, e.recordPlaces()
	}
	for _, d := range report.Extra {
		found[d.Path] = target[d.Path]
	}
	if (opt.refuseEmpty || e.otherDisk) && report.Listed == 0 {
		return report, fmt.Errorf("%w: %w: it holds nothing, and should hold %d files: is its disk mounted?", remote.ErrOffline, remote.ErrNewRemote, report.Checked)
	}
	if err := e.repair(report, found); err != nil {
		return report, err
	}
	return report, e.recordPlaces()
}

// listAll returns what the remote holds, by path.
func (e *Engine) listAll(ctx context.Context) (map[string]remote.Object, error) {
	e.phase("listing the remote")
	target := make(map[string]remote.Object)
	err := e.conn.List(ctx, func(r remote.Object) error {
		target[r.Path] = r
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the remote: %w", err)
	}
	return target, nil
}

// extras are the files left over of a listing that are this mapping's business, sorted.
func (e *Engine) extras(left map[string]remote.Object) []string {
	var paths []string
	for path, r := range left {
		if r.Entry.Kind == snapshot.Dir || r.Temporary || e.excluded(path, &r.Entry) {
			continue
		}
		paths = append(paths, path)
	}
	slices.SortFunc(paths, snapshot.ComparePaths)
	return paths
}

// differs compares one file. It reports what differs, if anything, and whether more than the size
// vouches for it if nothing does.
func (e *Engine) differs(ctx context.Context, path string, base *snapshot.Entry, there *remote.Object, checksum bool) (what string, sure bool, err error) {
	now := &there.Entry
	switch {
	case now.Kind != base.Kind:
		return fmt.Sprintf("a %v on the remote, a %v in the base", now.Kind, base.Kind), true, nil
	case now.Size != base.Size:
		return fmt.Sprintf("size %d on the remote, %d in the base", now.Size, base.Size), true, nil
	case e.keepsTimes() && now.Mtime != 0 && !sameTime(now.Mtime, base.Mtime, e.caps.Precision):
		return fmt.Sprintf("modified %v on the remote, %v in the base", now.ModTime().UTC(), base.ModTime().UTC()), true, nil
	case now.HashType == snapshot.NoHash && checksum:
		// The listing gave none: the content itself is asked for, whatever it costs.
		if now.HashType, now.Hash, err = e.conn.Hash(ctx, path, snapshot.XXH3); err != nil {
			return "", false, fmt.Errorf("hash %q on the remote: %w", path, err)
		}
	}
	if now.HashType != snapshot.NoHash && now.HashType == base.HashType {
		return differsIf(now.Hash != base.Hash, now.HashType), true, nil
	}
	sure = e.keepsTimes() && now.Mtime != 0
	if !checksum || now.HashType == snapshot.NoHash || base.Flags.Has(snapshot.Retained) {
		return "", sure && !checksum, nil
	}
	local, hashes, err := snapshot.HashFile(ctx, e.cfg.Scan, path, now.HashType)
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

// keepsTimes reports whether the remote's mtimes are those of the base: where an mtime cannot be set
// without sending the file again, a touched file keeps its old one on the remote.
func (e *Engine) keepsTimes() bool { return e.caps.Precision > 0 && e.caps.SetModTime }

// repair makes the base say what the remote holds. What is missing is forgotten, so that the next
// run sends it; the rest is adopted: what differs is then compared with the source, and replaced like
// any older content, and what is extra is retained or deleted.
func (e *Engine) repair(report *Report, found map[string]remote.Object) error {
	var fixes []journal.Refresh
	for _, d := range report.Missing {
		fixes = append(fixes, journal.Refresh{Path: d.Path})
	}
	for _, d := range slices.Concat(report.Differs, report.Extra) {
		r := found[d.Path]
		entry := e.adopted(&r)
		fixes = append(fixes, journal.Refresh{Path: d.Path, Entry: &entry})
	}
	if err := e.cfg.Journal.Repair(fixes); err != nil {
		return err
	}
	report.Repaired = int64(len(fixes))
	return nil
}

// excluded reports whether the filter keeps path out of the mapping, itself or by a directory above.
func (e *Engine) excluded(path string, entry *snapshot.Entry) bool {
	filter := e.cfg.Scan.Filter
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
