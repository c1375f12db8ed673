package snapshot

import (
	"maps"
	"sync/atomic"
)

// doubt is an Unproven in the making.
type doubt struct {
	path, reason string
	unread       bool // see Unproven
	mount        bool // because of what is mounted at path, or is not any more
	kept         atomic.Int64
	around       *doubt // the one further up, beneath which this one lies
}

// keep counts one file of the base that was not seen.
func (d *doubt) keep() {
	for ; d != nil; d = d.around {
		d.kept.Add(1)
	}
}

func (w *worker) newDoubt(path, reason string, around *doubt) *doubt {
	d := &doubt{path: path, reason: reason, around: around}
	w.doubts = append(w.doubts, d)
	return d
}

// mounted is what the scan learned about one mount point.
type mounted struct {
	path string
	fsid uint64 // 0: nothing is mounted there any more
	// doubt is set if this is not what was there before. While anything is kept for it, what was there
	// before stays on record: otherwise the next scan would find all as expected, and delete. So it
	// does where a scan Within looked at a part only.
	doubt *doubt
	part  bool
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
			w.doubt = lost
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
		w.doubt = w.newDoubt(path, reason, w.doubt)
		w.doubt.mount, m.doubt = true, w.doubt
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
func (w *worker) lostMount(path string) *doubt {
	if _, known := w.cfg.Mounts[path]; !known {
		return nil
	}
	if w.cfg.AnyMount {
		w.mounts = append(w.mounts, mounted{path: path})
		return nil
	}
	d := w.newDoubt(path, "the file system mounted there is gone", w.doubt)
	d.mount = true
	part := path == w.job.path && w.job.within != nil
	w.mounts = append(w.mounts, mounted{path: path, doubt: d, part: part})
	return d
}

// remember returns the mounts to expect next time: what was expected, corrected by what was found
// wherever that leaves nothing in doubt. What lies where the scan did not look stays as it was.
func remember(expected map[string]uint64, found []mounted) map[string]uint64 {
	next := maps.Clone(expected)
	for _, m := range found {
		switch {
		case m.doubt != nil && (m.part || m.doubt.kept.Load() > 0):
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
