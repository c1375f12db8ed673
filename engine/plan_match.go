package engine

import (
	"encoding/binary"

	"github.com/snapsync/snapsync/snapshot"
)

// match is an Old and the New that it becomes.
type match struct{ old, now int32 }

// matcher finds which files that left their path are at another one now. It goes from the strongest
// evidence to the weakest: the same file by inode, size and mtime; the same content by hash; and the
// same inode alone. Of equals those match first that kept their name, then those that stayed in their
// directory, then the first in path order. Every round is linear in the number of files.
type matcher struct {
	changes []snapshot.Change
	olds    []int32 // files that left their path, in order
	news    []int32 // files that need content, in order
	goes    []bool  // by change: its Old was matched
	comes   []bool  // by change: its New was matched
	out     []match
}

func newMatcher(changes []snapshot.Change) *matcher {
	return &matcher{changes: changes, goes: make([]bool, len(changes)), comes: make([]bool, len(changes))}
}

// matchKey is what two entries have in common if they belong together.
type matchKey struct {
	kind        snapshot.Kind
	a, b        uint64
	size, mtime int64
}

// group is everything with the same key. Both lists are in path order.
type group struct{ olds, news []int32 }

// byIdentity finds files that only have another name.
func byIdentity(e *snapshot.Entry) (matchKey, bool) {
	return matchKey{e.Kind, e.Dev, e.Ino, e.Size, e.Mtime}, e.Ino != 0
}

// byContent finds content that is known to be the same. Empty files have none.
func byContent(e *snapshot.Entry) (matchKey, bool) {
	a, b := binary.BigEndian.Uint64(e.Hash[:8]), binary.BigEndian.Uint64(e.Hash[8:])
	return matchKey{e.Kind, a, b, e.Size, 0}, e.HashType == snapshot.XXH3 && e.Size > 0
}

// byInode finds files that have another name and were edited, or an inode that was used again.
func byInode(e *snapshot.Entry) (matchKey, bool) {
	return matchKey{e.Kind, e.Dev, e.Ino, 0, 0}, e.Ino != 0
}

// round matches by key what earlier rounds left.
func (m *matcher) round(key func(*snapshot.Entry) (matchKey, bool), accept func(old, now int32) bool) {
	if len(m.olds) == 0 || len(m.news) == 0 {
		return
	}
	groups, order := make(map[matchKey]*group), []*group(nil)
	for _, i := range m.olds {
		k, ok := key(m.changes[i].Old)
		if !ok {
			continue
		}
		g := groups[k]
		if g == nil {
			g = new(group)
			groups[k] = g
			order = append(order, g)
		}
		g.olds = append(g.olds, i)
	}
	for _, h := range m.news {
		if k, ok := key(m.changes[h].New); ok && groups[k] != nil {
			groups[k].news = append(groups[k].news, h)
		}
	}
	for _, g := range order {
		m.pairUp(g, accept)
	}
	m.olds = m.left(m.olds, m.goes)
	m.news = m.left(m.news, m.comes)
}

// pairUp matches within one group: by name, by directory, in order.
func (m *matcher) pairUp(g *group, accept func(old, now int32) bool) {
	switch {
	case len(g.news) == 0:
	case len(g.olds) == 1 && len(g.news) == 1:
		m.take(g.olds[0], g.news[0], accept)
	default:
		m.pairBy(g, func(path string) string { _, name := snapshot.Split(path); return name }, accept)
		m.pairBy(g, func(path string) string { dir, _ := snapshot.Split(path); return dir }, accept)
		m.pairBy(g, func(string) string { return "" }, accept)
	}
}

// pairBy matches those of g that have the part of their path in common, and takes them out.
func (m *matcher) pairBy(g *group, part func(path string) string, accept func(old, now int32) bool) {
	waiting := make(map[string][]int32, len(g.olds))
	for _, i := range g.olds {
		p := part(m.changes[i].Path)
		waiting[p] = append(waiting[p], i)
	}
	for _, h := range g.news {
		p := part(m.changes[h].Path)
		if queue := waiting[p]; len(queue) > 0 && m.take(queue[0], h, accept) {
			waiting[p] = queue[1:]
		}
	}
	g.olds, g.news = m.left(g.olds, m.goes), m.left(g.news, m.comes)
}

func (m *matcher) take(old, now int32, accept func(old, now int32) bool) bool {
	if !accept(old, now) {
		return false
	}
	m.goes[old], m.comes[now] = true, true
	m.out = append(m.out, match{old, now})
	return true
}

// left filters list in place, keeping its order.
func (m *matcher) left(list []int32, taken []bool) []int32 {
	kept := list[:0]
	for _, i := range list {
		if !taken[i] {
			kept = append(kept, i)
		}
	}
	return kept
}

func always(int32, int32) bool { return true }

// sameFileEdited reports whether two entries of one inode are one file that was moved and edited.
// File systems use a freed inode for the next new file, so the inode alone says little. It is
// believed for a file that kept its name in another directory, and for one that grew within its
// directory, as a log does. Believing it wrongly costs nothing with complete-sync: a move and a send
// are as many requests as a delete and a send, and the result is the same. Where deleted files are
// retained it would cost a retained file: there it is never believed.
func (m *matcher) sameFileEdited(old, now int32) bool {
	if stays := m.changes[old].New; stays != nil && idOf(stays) == idOf(m.changes[old].Old) {
		return false
	}
	fromDir, fromName := snapshot.Split(m.changes[old].Path)
	dir, name := snapshot.Split(m.changes[now].Path)
	was, is := m.changes[old].Old.Size, m.changes[now].New.Size
	return fromName == name || fromDir == dir && is >= was && was > 0
}
