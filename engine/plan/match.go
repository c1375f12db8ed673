package plan

import (
	"encoding/binary"

	"github.com/snapsync/snapsync/snapshot"
)

// match is an Old and the New that it becomes.
type match struct{ old, now int32 }

// matcher finds which files that left their path are at another one now, by the strongest evidence first: the same file
// by inode, size and mtime; the same content by hash; the same inode alone. Of equals those match first that kept their
// name, then those that stayed in their directory, then the first in path order. Every round is linear in the number of
// files.
type matcher struct {
	changes []snapshot.Change
	olds    []int32 // files that left their path, in order
	news    []int32 // files that need content, in order
	goes    []bool  // by change: its Old was matched
	comes   []bool  // by change: its New was matched
	out     []match
}

// matchKey is what two entries have in common if they belong together.
type matchKey struct {
	kind        snapshot.Kind
	a, b        uint64
	size, mtime int64
}

// group is everything with the same key: the heads of two lists, each in path order.
type group struct{ old, now chain }

// chain is a list of indexes, linked through a slice that all chains share: there may be a million groups, and nearly all
// have one Old and one New.
type chain struct{ first, last int32 }

func (c *chain) add(i int32, next []int32) {
	next[i] = none
	if c.first == none {
		c.first = i
	} else {
		next[c.last] = i
	}
	c.last = i
}

func (c *chain) list(next []int32) (list []int32) {
	for i := c.first; i != none; i = next[i] {
		list = append(list, i)
	}
	return list
}

// byIdentity finds files that only have another name.
func byIdentity(e *snapshot.Entry) (matchKey, bool) {
	return matchKey{e.Kind, e.Dev, e.Ino, e.Size, e.Mtime}, e.Ino != 0
}

// byContent finds content that is known to be the same. Empty files have none.
func byContent(e *snapshot.Entry) (matchKey, bool) {
	a, b := binary.BigEndian.Uint64(e.Hash[:8]), binary.BigEndian.Uint64(e.Hash[8:])
	return matchKey{e.Kind, a, b, e.Size, 0}, e.HashType == snapshot.XXH3 && e.Size > 0
}

// byInode finds files that have another name and were edited, and inodes that were used again: Input.Survived tells them
// apart.
func byInode(e *snapshot.Entry) (matchKey, bool) {
	return matchKey{e.Kind, e.Dev, e.Ino, 0, 0}, e.Ino != 0
}

// round matches by key what earlier rounds left.
func (m *matcher) round(key func(*snapshot.Entry) (matchKey, bool), accept func(old, now int32) bool) {
	if len(m.olds) == 0 || len(m.news) == 0 {
		return
	}
	n := len(m.changes)
	nextOld, nextNew := make([]int32, n), make([]int32, n)
	groups := make([]group, 0, min(len(m.olds), len(m.news)))
	index := make(map[matchKey]int32, cap(groups))
	for _, i := range m.olds {
		k, ok := key(m.changes[i].Old)
		if !ok {
			continue
		}
		g, known := index[k]
		if !known {
			g = int32(len(groups))
			groups, index[k] = append(groups, group{chain{none, none}, chain{none, none}}), g
		}
		groups[g].old.add(i, nextOld)
	}
	for _, h := range m.news {
		if k, ok := key(m.changes[h].New); ok {
			if g, known := index[k]; known {
				groups[g].now.add(h, nextNew)
			}
		}
	}
	for _, g := range groups {
		switch {
		case g.now.first == none:
		case g.old.first == g.old.last && g.now.first == g.now.last:
			m.take(g.old.first, g.now.first, accept)
		default:
			m.pairUp(g.old.list(nextOld), g.now.list(nextNew), accept)
		}
	}
	m.olds, m.news = m.left(m.olds, m.goes), m.left(m.news, m.comes)
}

// pairUp matches within one group: by name, by directory, in order.
func (m *matcher) pairUp(olds, news []int32, accept func(old, now int32) bool) {
	byName := func(path string) string { _, name := snapshot.Split(path); return name }
	byDir := func(path string) string { dir, _ := snapshot.Split(path); return dir }
	inOrder := func(string) string { return "" }
	for _, part := range []func(path string) string{byName, byDir, inOrder} {
		m.pairBy(part, olds, news, accept)
		olds, news = m.left(olds, m.goes), m.left(news, m.comes)
	}
}

// pairBy matches those that have a part of their path in common.
func (m *matcher) pairBy(part func(path string) string, olds, news []int32, accept func(old, now int32) bool) {
	waiting := make(map[string][]int32, len(olds))
	for _, i := range olds {
		p := part(m.changes[i].Path)
		waiting[p] = append(waiting[p], i)
	}
	for _, h := range news {
		p := part(m.changes[h].Path)
		if queue := waiting[p]; len(queue) > 0 && m.take(queue[0], h, accept) {
			waiting[p] = queue[1:]
		}
	}
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
