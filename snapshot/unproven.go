package snapshot

import (
	"maps"
	"sync/atomic"
)

// unproven is an Unproven in the making.
type unproven struct {
	path, reason string
	unread       bool // see Unproven
	mount        bool // because of what is mounted at path, or is not any more
	kept         atomic.Int64
	around       *unproven // the one further up, beneath which this one lies
}

// keep counts one file of the base that was not seen.
func (d *unproven) keep() {
	for ; d != nil; d = d.around {
		d.kept.Add(1)
	}
}

func (w *worker) newUnproven(path, reason string, around *unproven) *unproven {
	d := &unproven{path: path, reason: reason, around: around}
	w.unprovens = append(w.unprovens, d)
	return d
}

// mounted is what the scan learned about one mount point.
type mounted struct {
	path string
	fsid uint64 // 0: nothing is mounted there any more
	// unproven is set if this is not what was there before. While anything is kept for it, what was there
	// before stays on record: otherwise the next scan would find all as expected, and delete. So it
	// does where a scan Within looked at a part only.
	unproven *unproven
	part     bool
}

// checkMount looks whether the open directory is a mount point, and whether it was one.
func (w *worker) checkMount() error {
	path := w.job.path
	is := path != "" && (w.opened.mount || w.opened.dev != w.job.outside)
	was, known := w.cfg.Mounts[path]
	if !is && !known {
		return nil
	}
	if !is {
		if lost := w.lostMount(path); lost != nil {
			w.unproven = lost
		}
		return nil
	}
	m := mounted{path: path, fsid: w.dir.fsid(), part: w.job.within != nil}
	reason := ""
	switch {
	case w.cfg.AnyMount:
	case known && was != m.fsid:
		reason = "another file system is mounted there"
	case !known:
		covers, err := w.coversBase()
		if err != nil {
			return err
		}
		if covers {
			reason = "a file system is mounted over it, and was not before"
		}
	}
	if reason != "" {
		w.unproven = w.newUnproven(path, reason, w.unproven)
		w.unproven.mount, m.unproven = true, w.unproven
	}
	w.mounts = append(w.mounts, m)
	return nil
}

// coversBase reports whether the base holds anything in this directory that a scan once saw there.
// What was adopted from the remote says nothing about mounts.
func (w *worker) coversBase() (bool, error) {
	if err := w.base.Open(w.job.path); err != nil {
		return false, w.baseError(err)
	}
	for {
		name, e, err := w.base.Next()
		if err != nil || name == nil {
			return false, w.baseError(err)
		}
		if e.Flags&(Adopted|Retained) == 0 {
			return true, nil
		}
	}
}

// lostMount is about a path where nothing is mounted now; it returns nil if nothing was before, or if
// that was approved. A file system in use cannot be removed, only unmounted: whatever the path is
// now, its files may well exist.
func (w *worker) lostMount(path string) *unproven {
	if _, known := w.cfg.Mounts[path]; !known {
		return nil
	}
	if w.cfg.AnyMount {
		w.mounts = append(w.mounts, mounted{path: path})
		return nil
	}
	d := w.newUnproven(path, "the file system mounted there is gone", w.unproven)
	d.mount = true
	part := path == w.job.path && w.job.within != nil
	w.mounts = append(w.mounts, mounted{path: path, unproven: d, part: part})
	return d
}

// remember returns the mounts to expect next time: what was expected, corrected by what was found
// wherever that leaves nothing unproven. What lies where the scan did not look stays as it was.
func remember(expected map[string]uint64, found []mounted) map[string]uint64 {
	next := maps.Clone(expected)
	for _, m := range found {
		switch {
		case m.unproven != nil && (m.part || m.unproven.kept.Load() > 0):
		case m.fsid == 0:
			delete(next, m.path)
		default:
			if next == nil {
				next = map[string]uint64{}
			}
			next[m.path] = m.fsid
		}
	}
	return next
}
