package plan

import (
	"slices"

	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// placing is how far a place is.
type placing uint8

const (
	idle   placing = iota
	active         // being placed: nothing can be put there, or beneath, yet
	placed
)

// dropped is what the plan did to an Old that does not stay.
type dropped uint8

const (
	present     dropped = iota // nothing so far
	overwritten                // what comes to its path replaces it
	deleted                    // by a step before the sends
)

// place emits the moves, and the deletes that make room for them and for the sends.
func (p *planner) place() {
	p.drops = make([]dropped, len(p.Changes))
	p.places = make([]placing, len(p.Changes))
	p.reserved = make(map[string]bool)
	p.variants = p.findCaseVariants()
	for h := range p.Changes {
		if p.disputed(int32(h)) {
			p.placeChain(int32(h))
		}
	}
}

// disputed reports whether place h gets something from elsewhere, or something else stands there.
func (p *planner) disputed(h int32) bool {
	return p.now(h) != nil && (p.source[h] != p.occupant[h] || p.variants.has(p.path(h), h))
}

// placeChain places h after following the chain of files that each stand where the one before goes:
// from its end no deep recursion is needed.
func (p *planner) placeChain(h int32) {
	chain := []int32{h}
	for {
		i := p.occupant[h]
		if i == none || p.dest[i] == none || p.dest[i] == h || !IsFile(p.old(i)) {
			break
		}
		h = p.dest[i]
		if h == chain[0] || p.places[h] != idle {
			break
		}
		chain = append(chain, h)
	}
	for _, h := range slices.Backward(chain) {
		p.placeOne(h)
	}
}

// placeOne brings to place h what belongs there, unless it is to be sent.
func (p *planner) placeOne(h int32) {
	if p.places[h] != idle {
		return
	}
	p.places[h] = active
	if up := p.tree.newUp[h]; up != none {
		p.placeOne(up)
	}
	p.free(h)
	p.fetch(h)
	p.places[h] = placed
}

// free removes from place h everything that does not belong there.
func (p *planner) free(h int32) {
	if p.old(h) != nil {
		p.remove(h, h)
	}
	if i := p.occupant[h]; i != none && i != h {
		p.remove(i, h)
	}
	for _, i := range p.variants.of(p.path(h)) {
		if i != h && i != p.occupant[h] {
			p.remove(i, h)
		}
	}
}

// remove takes Old i away from place h, if it stands there and does not belong there.
func (p *planner) remove(i, h int32) {
	switch {
	case i == p.source[h] || p.drops[i] != present || !p.stands(i, h):
	case isDir(p.old(i)):
		p.removeDir(i, h)
	default:
		p.removeFile(i, h)
	}
}

// stands reports whether Old i is where place h is, to this remote.
func (p *planner) stands(i, h int32) bool {
	at, path := p.tree.where(i), p.path(h)
	return at == path || p.Caps.CaseInsensitive && pathset.Fold(at) == pathset.Fold(path)
}

func (p *planner) removeFile(i, h int32) {
	old, now := p.old(i), p.now(h)
	switch {
	case p.dest[i] != none:
		p.evict(i, h)
	case old.Kind == now.Kind && p.tree.where(i) == p.path(h) && !p.Caps.Backup:
		p.drops[i] = overwritten // a move replaces it; but nothing would back it up
	default:
		p.delete(i, journal.Replaced, false)
	}
}

func (p *planner) removeDir(i, h int32) {
	switch {
	case p.dest[i] != none:
		p.evict(i, h)
	case IsFile(p.now(h)) || p.source[h] != none:
		p.clear(i, h)
	}
}

// evict moves Old i from place h to where it belongs, or parks it if that has to wait for h.
func (p *planner) evict(i, h int32) {
	to := p.dest[i]
	for up := to; up != none; up = p.tree.newUp[up] {
		if p.places[up] == active {
			p.park(i, h)
			return
		}
	}
	p.placeOne(to)
}

// park moves Old i to a temporary name beside place h. That directory does not move any more, since
// the places above h come first.
func (p *planner) park(i, h int32) {
	dir, _ := snapshot.Split(p.path(h))
	_, name := snapshot.Split(remote.TempName(p.tree.where(i)))
	temp := snapshot.Join(dir, name)
	for p.reserved[temp] || p.tree.find(temp) != none {
		temp = remote.TempName(temp)
	}
	p.reserved[temp] = true
	p.move(i, temp, p.old(i), journal.Parked)
}

// fetch moves to place h the Old that it is made from, unless that is there already.
func (p *planner) fetch(h int32) {
	i, path := p.source[h], p.path(h)
	if i == none || p.tree.where(i) == path {
		return
	}
	if at := p.tree.where(i); snapshot.Beneath(path, at) || p.Caps.CaseInsensitive && pathset.Fold(at) == pathset.Fold(path) {
		p.park(i, h)
	}
	now := p.old(i)
	if isDir(now) {
		now = p.now(h)
	} else if p.weigh(i, h) == settled {
		now = merged(p.old(i), p.now(h))
	}
	p.move(i, path, now, journal.Renamed)
}

// move emits one step that moves Old i to path, where the base will then have now.
func (p *planner) move(i int32, path string, now *snapshot.Entry, why journal.Reason) {
	s := journal.Step{
		Action: journal.Move, From: p.tree.where(i), Path: path, Old: p.old(i), New: now, Reason: why,
	}
	if isDir(p.old(i)) {
		s.Dir, s.Files = true, p.tree.files(i)
	}
	p.step(s)
	p.tree.move(i, path)
}

// delete emits the delete of Old i, where it is now.
func (p *planner) delete(i int32, why journal.Reason, held bool) {
	p.drops[i] = deleted
	p.step(journal.Step{
		Action: journal.Delete, Path: p.tree.where(i), Old: p.old(i), Reason: why,
		Dir: isDir(p.old(i)), Held: held,
	})
}

// clear empties and deletes the directory i, so that place h is free. What in it belongs elsewhere
// is moved there first. Without --complete-sync its files were to be retained, and cannot be: then a
// person has to agree.
func (p *planner) clear(i, h int32) {
	end := p.tree.end(i)
	inside := func(k int32) bool {
		return p.old(k) != nil && p.drops[k] == present && snapshot.Beneath(p.tree.where(k), p.tree.where(i))
	}
	for k := i + 1; k < end; k++ {
		if p.old(k) != nil && p.dest[k] != none && inside(k) {
			p.evict(k, h)
		}
	}
	dirs := []int32{i}
	for k := i + 1; k < end; k++ {
		switch {
		case !inside(k):
		case isDir(p.old(k)):
			dirs = append(dirs, k)
		default:
			p.delete(k, journal.Replaced, !p.CompleteSync)
		}
	}
	for _, k := range slices.Backward(dirs) {
		kept := p.Kept(p.path(k))
		if p.Caps.BucketBased && !kept {
			p.drops[k] = deleted
			continue
		}
		p.delete(k, journal.Emptied, kept)
	}
}
