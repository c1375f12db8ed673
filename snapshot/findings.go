package snapshot

import (
	"cmp"
	"slices"
)

// findings is what one worker found. It belongs to that worker until the scan is over.
type findings struct {
	arena    arena
	unproven []*unproven // without those of mounts
	covered  []Covered
	mounts   mounts
	problems []Problem
	stats    Stats
}

// Stats count what a scan met.
type Stats struct {
	Files, Dirs, Bytes int64 // what belongs to the mapping
	Symlinks           int64 // skipped: SkipLinks
	Special            int64 // skipped: sockets, fifos, devices
	Excluded           int64 // skipped by the filter; a pruned directory counts once
}

// change adds a change of name in dir, with copies of both entries.
func (f *findings) change(dir string, name []byte, old, new *Entry) {
	f.arena.add(f.copied(f.arena.join(dir, name), old, new))
}

// copied returns a change with copies of both entries.
func (f *findings) copied(path string, old, new *Entry) Change {
	return Change{Path: path, Old: f.arena.entry(old), New: f.arena.entry(new)}
}

func (f *findings) problem(path string, err error) {
	f.problems = append(f.problems, Problem{Path: path, Err: err})
}

func (f *findings) newUnproven(path, reason string, around *unproven) *unproven {
	u := &unproven{path: path, reason: reason, around: around}
	f.unproven = append(f.unproven, u)
	return u
}

// gather makes a head of what all workers found.
func gather(expected map[string]uint64, all []*findings) *Head {
	h := &Head{}
	var arenas []*arena
	var found []mounted
	for _, f := range all {
		arenas = append(arenas, &f.arena)
		found = append(found, f.mounts.found...)
		h.Problems = append(h.Problems, f.problems...)
		h.Covered = append(h.Covered, f.covered...)
		h.Stats.Files += f.stats.Files
		h.Stats.Dirs += f.stats.Dirs
		h.Stats.Bytes += f.stats.Bytes
		h.Stats.Symlinks += f.stats.Symlinks
		h.Stats.Special += f.stats.Special
		h.Stats.Excluded += f.stats.Excluded
		for _, u := range f.unproven {
			h.Unproven = append(h.Unproven, Unproven{Path: u.path, Reason: u.reason, Kept: u.kept.Load()})
		}
	}
	for _, m := range found {
		if m.keeps() { // otherwise nothing is at stake, and remember does what is right
			u := m.unproven
			h.Unproven = append(h.Unproven, Unproven{Path: u.path, Reason: u.reason, Kept: u.kept.Load(), Mount: true})
		}
	}
	h.Changes = sorted(arenas)
	h.Mounts = remember(expected, found)
	slices.SortFunc(h.Problems, func(a, b Problem) int { return ComparePaths(a.Path, b.Path) })
	slices.SortFunc(h.Covered, func(a, b Covered) int { return ComparePaths(a.Path, b.Path) })
	slices.SortFunc(h.Unproven, func(a, b Unproven) int {
		return cmp.Or(ComparePaths(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	return h
}
