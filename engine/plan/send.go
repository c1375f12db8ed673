package plan

import (
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// sender sends what is to be done at the places themselves. It finds paths that hold, when the sends begin, what a place
// wants.
type sender struct {
	draft
	begin      int               // how many steps come before the sends
	held       map[Content]int32 // Olds that hold wanted content; nil if no change has an Old
	copied     map[int32]bool    // Olds that were copied to the place that their file moved to
	overwrites bool              // some step may replace what another one copies
	saves      bool              // some step copies what an earlier one deletes
	room       *pathset.Set      // what the earlier steps delete, once it is asked for
}

// send emits what is to be done at the places themselves, once everything that moves has moved. copied are the Olds that
// were copied to the place that their file moved to.
func send(d draft) (after draft, copied map[int32]bool) {
	p := sender{draft: d, begin: len(d.steps)}
	if p.Caps.Copy && p.dest != nil {
		p.copied = make(map[int32]bool)
		p.hold()
	}
	for h := range p.size() {
		switch now := p.now(h); {
		case IsFile(now):
			p.sendFile(h)
		case isDir(now) && p.wantsMkdir(h):
			p.step(journal.Step{Action: journal.Send, How: journal.Mkdir, Path: p.path(h), New: now, Dir: true, Reason: journal.New})
		}
	}
	switch {
	case p.saves:
		p.copyFirst()
	case p.overwrites:
		orderCopies(p.steps[p.begin:])
	}
	return p.draft, p.copied
}

// sendFile emits the send for the file at place h, if it needs one.
func (p *sender) sendFile(h int32) {
	s := journal.Step{Action: journal.Send, How: journal.Upload, Path: p.path(h), New: p.now(h), Reason: journal.New}
	if i := p.sourceOf(h); i != none {
		s.Old, s.Reason = p.old(i), journal.Modified
		switch p.weigh(i, h) {
		case settled:
			return
		case retimed:
			s.How, s.Reason, s.New = journal.Touch, journal.Mtime, merged(s.Old, s.New)
			if p.Caps.SameMtime(s.Old, s.New) {
				s.Reason = journal.Metadata
			}
			p.step(s)
			return
		}
	}
	if from, content := p.find(h); from != "" {
		s.How, s.From, s.New, s.Reason = journal.Copy, from, content, journal.ContentKnown
	}
	p.step(s)
}

// wantsMkdir reports whether h is a directory that does not come by itself with what is in it.
func (p *sender) wantsMkdir(h int32) bool {
	if !p.EmptyDirs || !p.Caps.EmptyDirs || p.sourceOf(h) != none {
		return false
	}
	for k := h + 1; k < p.size() && snapshot.Beneath(p.path(k), p.path(h)); k++ {
		if p.now(k) != nil {
			return false
		}
	}
	return true
}

// hold finds the Olds that hold what some place wants.
func (p *sender) hold() {
	wanted := make(map[Content]bool)
	for h := range p.size() {
		if content, ok := ContentOf(p.now(h)); ok {
			wanted[content] = true
		}
	}
	p.held = make(map[Content]int32)
	for i := range p.size() {
		content, ok := ContentOf(p.old(i))
		if !ok || !wanted[content] || p.drops[i] == overwritten {
			continue
		}
		if other, ok := p.held[content]; !ok || p.rank(i) < p.rank(other) {
			p.held[content] = i
		}
	}
}

// rank is lower for what is better to copy: what stays, then what is replaced, then what is deleted first.
func (p *sender) rank(i int32) int {
	switch {
	case p.drops[i] == deleted:
		return 2
	case p.leaves(i):
		return 1
	}
	return 0
}

// leaves reports whether the sends replace what Old i is.
func (p *sender) leaves(i int32) bool {
	h := p.dest[i]
	return h != none && p.weigh(i, h) == edited
}

// find returns the path of what place h wants, and what h will hold; or no path.
func (p *sender) find(h int32) (from string, content *snapshot.Entry) {
	now := p.now(h)
	if !p.Caps.Copy || now.Size == 0 || p.Metadata && p.Caps.Metadata {
		return "", nil // a copy would bring the other file's metadata along
	}
	if p.origin != nil && p.origin[h] != none {
		if i := p.origin[h]; p.Caps.SameContent(p.old(i), now, true) && p.take(i, h) {
			p.copied[i] = true
			return p.layout.where(i), merged(p.old(i), now)
		}
	}
	key, ok := ContentOf(now)
	if !ok {
		return "", nil
	}
	if path := p.Known[key]; path != "" && p.stays(path) {
		return p.layout.whereIs(path), now
	}
	if i, ok := p.held[key]; ok && p.take(i, h) {
		return p.layout.where(i), now
	}
	return "", nil
}

// take reports whether Old i can be copied to place h.
func (p *sender) take(i, h int32) bool {
	switch {
	case p.drops[i] == present:
		p.overwrites = p.overwrites || p.leaves(i)
	case p.savable(i, h):
		p.saves = true
	default:
		return false
	}
	return true
}

// stays reports whether no step replaces what the base holds at path, which is not in Changes. Its directory may carry it
// to where something else comes.
func (p *sender) stays(path string) bool {
	for at := p.layout.whereIs(path); at != ""; at, _ = snapshot.Split(at) {
		if h := p.tree.find(at); h != none && IsFile(p.now(h)) {
			return false
		}
	}
	return true
}
