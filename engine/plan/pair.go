package plan

import (
	"slices"

	"github.com/snapsync/snapsync/snapshot"
)

// pair gives each Old at most one New to become. A moved directory takes everything beneath it along,
// which changes what lies where; and which directories moved shows in where their files went. So
// files are matched once as they lie, directories are chosen by that, and if any moved, files are
// matched again as they lie then.
func pair(in *Input, t *tree) pairs {
	p := pairs{Input: in, tree: t}
	found := p.pairWith(nil)
	if moves := chooseDirs(&p, found); len(moves) > 0 {
		found = p.pairWith(moves)
	}
	if p.Caps.Move {
		return p
	}
	// Files cannot be moved, but they can be copied before their old path goes.
	p.origin = p.indexes()
	for _, f := range found {
		p.origin[f.now] = f.old
	}
	return p
}

// pairWith pairs everything, given which directories move, and returns which files were matched
// with another path.
func (p *pairs) pairWith(dirs []match) []match {
	p.dest, p.source, p.occupant = p.indexes(), p.indexes(), p.indexes()
	for _, d := range dirs {
		p.bind(d.old, d.now)
	}
	p.imply(p.cleared(dirs))
	var alike []int32
	for k := range p.Changes {
		h := int32(k)
		p.pairInPlace(h)
		if i := p.source[h]; i != none && p.alike(i, h) {
			alike = append(alike, h)
		}
	}
	if p.Caps.Move {
		p.unpairChains(alike)
		p.recognise()
	}
	m := newMatcher(p.Changes)
	for i := range p.Changes {
		c := &p.Changes[i]
		if IsFile(c.Old) && p.dest[i] == none {
			m.olds = append(m.olds, int32(i))
		}
		if IsFile(c.New) && p.source[i] == none {
			m.news = append(m.news, int32(i))
		}
	}
	// In its own place a file was modified, not moved: there something better may be found.
	elsewhere := func(i, h int32) bool { return p.occupant[h] != i }
	if p.Caps.Move || p.Caps.DirMove || p.Caps.Copy {
		m.round(byIdentity, elsewhere)
		m.round(byContent, elsewhere)
	}
	found := m.out
	if p.Caps.Move {
		if p.Survived != nil {
			m.round(byInode, func(i, h int32) bool { return !p.linked(i) && p.Survived(int(i), int(h)) })
		}
		for _, f := range m.out {
			p.bind(f.old, f.now)
		}
	}
	p.pairModified()
	return found
}

// linked reports whether Old i still is at its path, edited: then it has not moved anywhere, and what
// has the same inode at another path is a second link.
func (p *pairs) linked(i int32) bool {
	now := p.now(i)
	return IsFile(now) && idOf(now) == idOf(p.old(i))
}

// imply computes occupant: which Old lies at which New once everything above it that is paired has
// moved, and what is cleared is empty, but before it moves itself. So no two lie at one place.
func (p *pairs) imply(cleared map[int32]bool) {
	region := make([]int32, len(p.Changes)) // the nearest directory, i included, that moves or is cleared
	cursor := none
	for k := range p.Changes {
		i, up := int32(k), none
		if p.tree.oldUp[i] != none {
			up = region[p.tree.oldUp[i]]
		}
		region[i] = up
		if p.dest[i] != none || cleared[i] {
			region[i] = i
		}
		h := i
		switch {
		case p.old(i) == nil || up != none && p.dest[up] == none:
			continue // nowhere, or in a directory that is cleared
		case up != none:
			h = p.tree.findFrom(cursor+1, p.path(p.dest[up])+p.path(i)[len(p.path(up)):])
			cursor = h
		}
		if h != none && p.now(h) != nil {
			p.occupant[h] = i
		}
	}
}

// pairInPlace pairs what lies at h with it, if it is a directory or a file that did not change.
func (p *pairs) pairInPlace(h int32) {
	i := p.occupant[h]
	if i == none || p.source[h] != none || p.dest[i] != none {
		return
	}
	old, now := p.old(i), p.now(h)
	switch {
	case isDir(old) && isDir(now):
		p.bind(i, h)
	case IsFile(old) && IsFile(now) && p.compare(old, now, false) != edited:
		p.bind(i, h)
	}
}

// alike reports whether h is another file than the one it was paired with, which happens to hold the same.
func (p *pairs) alike(i, h int32) bool {
	old, now := p.old(i), p.now(h)
	return IsFile(old) && old.Ino != now.Ino && old.Ino != 0 && now.Ino != 0
}

// unpairChains frees the places of alike files where inodes tell more than content. After `mv c d; mv b c`,
// with b and c alike, c holds already what it is to hold; but then nothing is left to become d, which
// nobody has read. So wherever a file that left its path leads, from one alike place to the next, to a
// place that has nothing yet, they all move. In a circle of alike files all stay.
func (p *pairs) unpairChains(alike []int32) {
	if len(alike) == 0 {
		return
	}
	at := make(map[fileID]int32, len(alike))
	for k := range p.Changes {
		if h := int32(k); IsFile(p.now(h)) && p.source[h] == none && p.now(h).Ino != 0 {
			at[idOf(p.now(h))] = h
		}
	}
	open := make(map[int32]bool, len(alike)) // alike places that no chain has led to
	for _, h := range alike {
		at[idOf(p.now(h))], open[h] = h, true
	}
	for k := range p.Changes {
		i := int32(k)
		if !IsFile(p.old(i)) || p.dest[i] != none || p.old(i).Ino == 0 {
			continue
		}
		var chain []int32
		h, found := at[idOf(p.old(i))]
		for found && open[h] && p.old(i).SameFile(p.now(h)) {
			delete(open, h)
			chain = append(chain, h)
			i = p.source[h]
			h, found = at[idOf(p.old(i))]
		}
		if found && p.source[h] == none && p.old(i).SameFile(p.now(h)) {
			for _, h := range chain {
				p.dest[p.source[h]], p.source[h] = none, none
			}
		}
	}
}

// recognise gives files that nobody has read the content that they have by their inode: that of an Old
// whose place is taken, by itself or by a file that is alike. Then something else may become them.
func (p *pairs) recognise() {
	kept := make(map[fileID]int32)
	for h := range p.Changes {
		if i := p.source[h]; i != none && IsFile(p.old(i)) && p.old(i).Ino != 0 && p.old(i).HashType == snapshot.XXH3 {
			kept[idOf(p.old(i))] = i
		}
	}
	if len(kept) == 0 {
		return
	}
	own := false
	for k := range p.Changes {
		h := int32(k)
		now := p.now(h)
		if !IsFile(now) || p.source[h] != none || now.HashType != snapshot.NoHash {
			continue
		}
		i, found := kept[idOf(now)]
		if !found || !p.Caps.SameContent(p.old(i), now, true) {
			continue
		}
		if !own {
			p.Changes, own = slices.Clone(p.Changes), true
		}
		p.Changes[h].New = merged(p.old(i), now)
	}
}

// pairModified pairs the files that are left with what lies at their path: it will be replaced.
func (p *pairs) pairModified() {
	for k := range p.Changes {
		h := int32(k)
		i := p.occupant[h]
		if i == none || p.source[h] != none || p.dest[i] != none {
			continue
		}
		if old, now := p.old(i), p.now(h); IsFile(old) && old.Kind == now.Kind {
			p.bind(i, h)
		}
	}
}
