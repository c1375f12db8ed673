package snapshot

import "maps"

// mounts is what one worker learned about the file systems that are mounted in the source.
type mounts struct {
	expected map[string]uint64 // Config.Mounts
	any      bool              // Config.AnyMount
	found    []mounted
}

// mounted is what was learned about one mount point.
type mounted struct {
	path string
	fsid uint64 // 0: nothing is mounted there any more
	// unproven is set if another file system was there before, or none. While anything is kept, what was there
	// before stays on record: otherwise the next scan would find all as expected, and delete. The record stays as
	// well where a scan Within looked at a part only.
	unproven *unproven
	part     bool
}

// keeps reports whether files of the base are kept because of the mount.
func (m *mounted) keeps() bool { return m.unproven != nil && m.unproven.kept.Load() > 0 }

// present records that a file system is mounted at path. A new one covers what the base has there, or not. The result
// is nil if the mount leaves nothing beneath unproven.
func (m *mounts) present(path string, fsid uint64, covers, part bool, around *unproven) (u *unproven) {
	was, known := m.expected[path]
	switch {
	case covers:
		u = &unproven{path: path, reason: "a file system is mounted over it, and was not before", around: around}
	case known && was != fsid && !m.any:
		u = &unproven{path: path, reason: "another file system is mounted there", around: around}
	}
	m.found = append(m.found, mounted{path, fsid, u, part})
	return u
}

// absent records that nothing is mounted at path. The result is nil if nothing was mounted there before, or if a
// person approved that. A file system in use cannot be removed, only unmounted: whatever the path is now, its files
// may well exist.
func (m *mounts) absent(path string, part bool, around *unproven) (u *unproven) {
	if _, known := m.expected[path]; !known {
		return nil
	}
	if !m.any {
		u = &unproven{path: path, reason: "the file system mounted there is gone", around: around}
	}
	m.found = append(m.found, mounted{path, 0, u, part})
	return u
}

// remember returns the mounts to expect next time: what was expected, corrected by what was found
// wherever that leaves nothing unproven. What lies where the scan did not look stays as it was.
func remember(expected map[string]uint64, found []mounted) map[string]uint64 {
	next := maps.Clone(expected)
	for _, m := range found {
		switch {
		case m.keeps() || m.unproven != nil && m.part:
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
