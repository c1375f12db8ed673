package plan

import (
	"slices"

	"github.com/snapsync/snapsync/snapshot"
)

// pair gives each Old at most one New to become. Where files went shows which directories moved; a directory that moves
// takes everything beneath it along, so that other things lie where files are looked for. So files are matched once as
// they lie, then directories are chosen, and if any moves, files are matched again.
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

// pairWith pairs everything, given which directories move, and returns the files that were matched with another path.
func (p *pairs) pairWith(dirs []match) []match {
	p.dest, p.source, p.occupant = p.indexes(), p.indexes(), p.indexes()
	for _, d := range dirs {
		p.bind(d.old, d.now)
	}
	p.imply(p.cleared(dirs))
	alike := p.pairInPlace()
	if p.Caps.Move {
		p.unpairChains(alike)
		p.recognise()
	}
	m := matcher{changes: p.Changes, goes: make([]bool, len(p.Changes)), comes: make([]bool, len(p.Changes))}
	for i := range p.size() {
		if IsFile(p.old(i)) && p.dest[i] == none {
			m.olds = append(m.olds, i)
		}
		if IsFile(p.now(i)) && p.source[i] == none {
			m.news = append(m.news, i)
		}
	}
	if p.Caps.Move || p.Caps.DirMove || p.Caps.Copy {
		m.round(byIdentity, p.renamed)
		m.round(byContent, p.elsewhere)
	}
	found := m.out
	if p.Caps.Move {
		if p.Survived != nil {
			m.round(byInode, p.survived)
		}
		for _, f := range m.out {
			p.bind(f.old, f.now)
		}
	}
	p.pairModified()
	return found
}

// elsewhere reports whether New h is not the place of Old i. There a file was modified, not moved, and something better may
// be found.
func (p *pairs) elsewhere(i, h int32) bool { return p.occupant[h] != i }

// renamed reports whether New h, which has the inode, the size and the mtime of Old i, is that file with another name. An
// empty one has no content to prove that.
func (p *pairs) renamed(i, h int32) bool {
	old, now := p.old(i), p.now(h)
	return p.elsewhere(i, h) && p.Caps.SameContent(old, now, true) &&
		(old.Size > 0 || old.SameFile(now) || p.Survived != nil && p.survived(i, h))
}

// survived reports whether New h is Old i, edited. If Old i still is at its own path, edited, New h is a second link of it.
func (p *pairs) survived(i, h int32) bool {
	if now := p.now(i); IsFile(now) && idOf(now) == idOf(p.old(i)) {
		return false
	}
	return p.Survived(int(i), int(h))
}

// imply computes occupant: which Old lies at which New once every paired directory above it has moved, and what is
// cleared is empty, but before the Old moves itself. So no two lie at one place.
func (p *pairs) imply(cleared map[int32]bool) {
	region := make([]int32, len(p.Changes)) // the nearest directory, i included, that moves or is cleared
	cursor := none
	for i := range p.size() {
		up := none
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
			to := p.path(p.dest[up]) + p.path(i)[len(p.path(up)):]
			if h = cursor + 1; h == p.size() || p.path(h) != to { // mostly it is the next
				h = p.tree.find(to)
			}
			cursor = h
		}
		if h != none && p.now(h) != nil {
			p.occupant[h] = i
		}
	}
}

// pairInPlace pairs directories and unchanged files with what lies at their path. It returns the alike places: there
// is another file than before, by its inode, with the same content.
func (p *pairs) pairInPlace() (alike []int32) {
	for h := range p.size() {
		i := p.occupant[h]
		if i == none || p.source[h] != none || p.dest[i] != none {
			continue
		}
		old, now := p.old(i), p.now(h)
		switch {
		case isDir(old) && isDir(now):
			p.bind(i, h)
		case IsFile(old) && IsFile(now) && p.weigh(i, int32(h)) != edited:
			p.bind(i, h)
			if old.Ino != now.Ino && old.Ino != 0 && now.Ino != 0 {
				alike = append(alike, h)
			}
		}
	}
	return alike
}

// unpairChains frees alike places where inodes tell more than content. After `mv c d; mv b c`, with b and c alike, c
// holds what it shall hold; but then nothing is left to become d, which nobody has read. So if a file that left its path
// leads, from one alike place to the next, to a place that has nothing yet, all of them move. In a circle all stay.
func (p *pairs) unpairChains(alike []int32) {
	if len(alike) == 0 {
		return
	}
	at := make(map[fileID]int32, len(alike))
	for h := range p.size() {
		if IsFile(p.now(h)) && p.source[h] == none && p.now(h).Ino != 0 {
			at[idOf(p.now(h))] = h
		}
	}
	open := make(map[int32]bool, len(alike)) // alike places that no chain has led to
	for _, h := range alike {
		at[idOf(p.now(h))], open[h] = h, true
	}
	for i := range p.size() {
		if !IsFile(p.old(i)) || p.dest[i] != none || p.old(i).Ino == 0 {
			continue
		}
		var chain []int32
		h, found := at[idOf(p.old(i))]
		for found && open[h] && p.keptTime(i, h) {
			delete(open, h)
			chain = append(chain, h)
			i = p.source[h]
			h, found = at[idOf(p.old(i))]
		}
		if found && p.source[h] == none && p.keptTime(i, h) {
			for _, h := range chain {
				p.dest[p.source[h]], p.source[h] = none, none
			}
		}
	}
}

// keptTime reports whether New h has the content and the mtime of Old i.
func (p *pairs) keptTime(i, h int32) bool {
	return p.old(i).Mtime == p.now(h).Mtime && p.Caps.SameContent(p.old(i), p.now(h), true)
}

// recognise gives files that nobody has read the content that their inode tells: that of a file whose place is taken, by
// itself or by one that is alike. A file that came along with its directory is that Old, which something else may become
// then; a second link is what was read at the other path.
func (p *pairs) recognise() {
	kept := make(map[fileID][]*snapshot.Entry)
	for h, i := range p.source {
		if i == none || !IsFile(p.old(i)) {
			continue
		}
		for _, e := range []*snapshot.Entry{p.old(i), p.now(int32(h))} {
			if e.Ino != 0 && e.HashType == snapshot.XXH3 {
				kept[idOf(e)] = append(kept[idOf(e)], e)
			}
		}
	}
	if len(kept) == 0 {
		return
	}
	own := false
	for h := range p.size() {
		now := p.now(h)
		if !IsFile(now) || p.source[h] != none || now.HashType != snapshot.NoHash {
			continue
		}
		for _, e := range kept[idOf(now)] {
			if !p.Caps.SameContent(e, now, true) {
				continue
			}
			if !own {
				p.Changes, own = slices.Clone(p.Changes), true
			}
			p.Changes[h].New = merged(e, now)
			break
		}
	}
}

// pairModified pairs the files that are left with what lies at their path: that will be replaced.
func (p *pairs) pairModified() {
	for h, i := range p.occupant {
		if i == none || p.source[h] != none || p.dest[i] != none {
			continue
		}
		if old, now := p.old(i), p.now(int32(h)); IsFile(old) && old.Kind == now.Kind {
			p.bind(i, int32(h))
		}
	}
}
