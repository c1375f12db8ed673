package snapshot

import (
	"cmp"
	"slices"
)

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
	// Covered are the paths of the base, absent like what was beneath them, where something stands that the scan skips.
	Covered []Covered
	// Problems are the paths that could not be looked at; none of them is in Changes.
	Problems []Problem
	// Mounts are the file systems mounted inside the source, path to file-system id, as the next scan
	// is to be given them in Config.Mounts: those that were found, but those that were expected
	// where the scan did not look, and where files are kept because something else was found.
	Mounts map[string]uint64
	Stats  Stats
}

// Unproven is a path at which and beneath which nothing may be deleted, and why.
type Unproven struct {
	Path   string
	Reason string // for a person: "permission denied", "the file system mounted there is gone", …
	Kept   int64  // files of the base at or beneath it that the scan did not see
	Mount  bool   // because of what is mounted there, or is not any more: a person can approve it; else it is in Problems as well
}

// Covered is a path that is not empty, and the reason why the scan has nothing there.
type Covered struct{ Path, Reason string }

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

// findings is what one worker found. It belongs to that worker until the scan is over.
type findings struct {
	arena    arena
	unproven []*unproven // without those of mounts
	covered  []Covered
	mounts   mounts
	problems []Problem
	stats    Stats
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

// take returns the changes that were found, and forgets them, if they are at least so many full pieces.
func (f *findings) take(pieces int) []Change {
	if len(f.arena.full) < pieces {
		return nil
	}
	return sorted([]*arena{&f.arena})
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
