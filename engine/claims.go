package engine

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// claims are the paths of a set of steps. Two steps overlap if one writes a path that is equal to,
// above or beneath a path that the other reads or writes.
type claims struct {
	writes, reads pathSet
}

// newClaims returns an empty set for a remote with these capabilities.
func newClaims(caps *remote.Caps) claims { return claims{newPathSet(caps), newPathSet(caps)} }

func (c *claims) overlaps(s *journal.Step) bool {
	if c.writes.overlaps(s.Path) || c.reads.overlaps(s.Path) {
		return true
	}
	switch {
	case s.From == "":
		return false
	case s.Action == journal.Move:
		return c.writes.overlaps(s.From) || c.reads.overlaps(s.From)
	}
	return c.writes.overlaps(s.From)
}

func (c *claims) add(s *journal.Step)    { c.count(s, 1) }
func (c *claims) remove(s *journal.Step) { c.count(s, -1) }

func (c *claims) count(s *journal.Step, n int) {
	c.writes.count(s.Path, n)
	switch {
	case s.From == "":
	case s.Action == journal.Move:
		c.writes.count(s.From, n)
	default:
		c.reads.count(s.From, n)
	}
}

// pathSet is a multiset of paths that can be asked for relatives.
type pathSet struct {
	paths map[string]int // the members
	above map[string]int // the directories that have members beneath them
	folds bool           // paths that differ only in case are the same
}

func newPathSet(caps *remote.Caps) pathSet {
	return pathSet{paths: make(map[string]int), above: make(map[string]int), folds: caps.CaseInsensitive}
}

func (p pathSet) key(path string) string {
	if p.folds {
		return fold(path)
	}
	return path
}

func (p pathSet) count(path string, n int) {
	path = p.key(path)
	bump(p.paths, path, n)
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			bump(p.above, path[:i], n)
		}
	}
}

func bump(m map[string]int, key string, n int) {
	if m[key] += n; m[key] == 0 {
		delete(m, key)
	}
}

// overlaps reports whether a member is path, above it or beneath it.
func (p pathSet) overlaps(path string) bool {
	if len(p.paths) == 0 {
		return false
	}
	return p.above[p.key(path)] > 0 || p.covers(path)
}

// covers reports whether a member is path, or above it.
func (p pathSet) covers(path string) bool {
	path = p.key(path)
	if p.paths[path] > 0 {
		return true
	}
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' && p.paths[path[:i]] > 0 {
			return true
		}
	}
	return false
}
