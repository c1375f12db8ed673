package plan

import (
	"slices"

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

// placer moves what is not at its place, and deletes what is in the way.
type placer struct {
	draft
	places   []placing // of a New
	variants *caseVariants
	reserved map[string]bool // temporary names in use
}

// place emits the moves, and the deletes that make room for them and for the sends.
func place(d draft) draft {
	d.layout = layout{tree: d.tree, at: make(map[int32]string)}
	d.drops = make([]dropped, len(d.Changes))
	p := placer{draft: d, places: make([]placing, len(d.Changes)), variants: d.findCaseVariants(), reserved: make(map[string]bool)}
	p.clearAbove()
	for h := range p.size() {
		if p.now(h) != nil && (p.source[h] != p.occupant[h] || p.variants.has(p.path(h), h)) {
			p.placeChain(h)
		}
	}
	return p.draft
}

// placeChain places h, but before that the chain of files that each stand where the one before goes, from its end: so
// there is no deep recursion.
func (p *placer) placeChain(h int32) {
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
func (p *placer) placeOne(h int32) {
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
func (p *placer) free(h int32) {
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
func (p *placer) remove(i, h int32) {
	if i == p.source[h] || p.drops[i] != present || !p.onePath(p.layout.where(i), p.path(h)) {
		return
	}
	switch old, now := p.old(i), p.now(h); {
	case p.dest[i] != none:
		p.evict(i, h)
	case isDir(old):
		if IsFile(now) || p.source[h] != none {
			p.clear(i, h)
		}
	case old.Kind == now.Kind && p.layout.where(i) == p.path(h) && !p.Caps.Backup:
		p.drops[i] = overwritten // a move replaces it; but nothing would back it up
	default:
		p.delete(i, journal.Replaced, false)
	}
}

// onePath reports whether two paths are one to this remote.
func (p *placer) onePath(a, b string) bool {
	return a == b || p.Caps.Fold(a) == p.Caps.Fold(b)
}

// evict moves Old i from place h to where it belongs, or parks it if that has to wait for h.
func (p *placer) evict(i, h int32) {
	to := p.dest[i]
	for up := to; up != none; up = p.tree.newUp[up] {
		if p.places[up] == active {
			p.park(i, p.path(h))
			return
		}
	}
	p.placeOne(to)
}

// park moves Old i to a temporary name beside place, whose directory does not move any more: the places above come first.
func (p *placer) park(i int32, place string) {
	dir, _ := snapshot.Split(place)
	_, name := snapshot.Split(remote.TempName(p.layout.where(i)))
	temp := snapshot.Join(dir, name)
	for p.reserved[temp] || p.tree.find(temp) != none {
		temp = remote.TempName(temp)
	}
	p.reserved[temp] = true
	p.move(i, temp, p.old(i), journal.Parked)
}

// fetch moves to place h the Old that it is made from, unless that is there already.
func (p *placer) fetch(h int32) {
	i, path := p.source[h], p.path(h)
	if i == none || p.layout.where(i) == path {
		return
	}
	if at := p.layout.where(i); snapshot.Beneath(path, at) || p.onePath(path, at) {
		p.park(i, p.path(h))
	}
	now := p.old(i)
	if isDir(now) {
		now = p.now(h)
	} else if p.weigh(i, h) == settled {
		now = merged(p.old(i), p.now(h))
	}
	p.move(i, path, now, journal.Renamed)
}

// clear empties and deletes the directory i, so that place h is free. What in it belongs elsewhere is moved there first.
// Without --complete-sync its files are to be retained, and cannot be: a person has to agree to these deletes.
func (p *placer) clear(i, h int32) {
	end := p.tree.end(i)
	inside := func(k int32) bool {
		return p.old(k) != nil && p.drops[k] == present && snapshot.Beneath(p.layout.where(k), p.layout.where(i))
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
