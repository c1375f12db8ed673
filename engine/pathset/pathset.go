// Package pathset has sets of paths that can be asked for relatives: is a member equal to a path, above it or beneath it.
//
// A Set is a multiset of paths. Claims are the paths that a set of steps reads and writes: by them the executor knows what
// must not run at once, and a scan what it must not look at. Both follow the remote's view of
// which names are one.
package pathset

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// Claims are the paths of a set of steps. Two steps overlap if one writes a path that is equal to,
// above or beneath a path that the other reads or writes.
type Claims struct {
	Writes, Reads Set
}

// NewClaims returns an empty set for a remote with these capabilities.
func NewClaims(caps *remote.Caps) Claims { return Claims{New(caps), New(caps)} }

// ClaimsOf returns the claims of steps on a remote with these capabilities.
func ClaimsOf(caps *remote.Caps, steps []journal.Step) Claims {
	c := NewClaims(caps)
	for i := range steps {
		c.Add(&steps[i])
	}
	return c
}

// Overlaps reports whether s and one of the steps overlap.
func (c *Claims) Overlaps(s *journal.Step) bool {
	if c.Writes.Overlaps(s.Path) || c.Reads.Overlaps(s.Path) {
		return true
	}
	switch {
	case s.From == "":
		return false
	case s.Action == journal.Move:
		return c.Writes.Overlaps(s.From) || c.Reads.Overlaps(s.From)
	}
	return c.Writes.Overlaps(s.From)
}

// Add adds what s reads and writes.
func (c *Claims) Add(s *journal.Step) { c.count(s, 1) }

// Remove undoes one Add of the same step.
func (c *Claims) Remove(s *journal.Step) { c.count(s, -1) }

func (c *Claims) count(s *journal.Step, n int) {
	c.Writes.Count(s.Path, n)
	switch {
	case s.From == "":
	case s.Action == journal.Move:
		c.Writes.Count(s.From, n)
	default:
		c.Reads.Count(s.From, n)
	}
}

// Set is a multiset of paths that can be asked for relatives.
type Set struct {
	paths map[string]int // the members
	above map[string]int // the directories that have members beneath them
	caps  *remote.Caps   // which say which paths are one
}

// New returns an empty set for a remote with these capabilities.
func New(caps *remote.Caps) Set {
	as := *caps // they may change while the set is in use
	return Set{paths: make(map[string]int), above: make(map[string]int), caps: &as}
}

func (p Set) key(path string) string { return p.caps.Fold(path) }

// Count adds n times path; a negative n takes it out.
func (p Set) Count(path string, n int) {
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

// Overlaps reports whether a member is path, above it or beneath it.
func (p Set) Overlaps(path string) bool {
	if len(p.paths) == 0 {
		return false
	}
	return p.above[p.key(path)] > 0 || p.Covers(path)
}

// Covers reports whether a member is path, or above it.
func (p Set) Covers(path string) bool {
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
