package snapshot

import (
	"slices"
	"unsafe"
)

// arena keeps what a scan finds, in large pieces. On a first run everything is found, perhaps a
// million times: an entry then costs its 64 bytes, a path its length and a change its 32 bytes,
// without an allocation for each, and without the copies that growing slices leave behind. A scan that
// finds one thing needs little: the first pieces are small, and each is twice as long as the last.
type arena struct {
	entries []Entry
	text    []byte
	full    [][]Change
	changes []Change
	piece   int // how long changes may become
}

// The lengths of the longest pieces; the first ones are a arenaFirst-th of that.
const (
	arenaEntries = 1 << 10
	arenaText    = 64 << 10
	arenaChanges = 4 << 10
	arenaFirst   = 64
)

// longer returns how long the next piece is, after one of length last.
func longer(last, longest int) int {
	return min(max(2*last, longest/arenaFirst), longest)
}

// entry returns a copy of e that may be kept; nil of nil.
func (a *arena) entry(e *Entry) *Entry {
	if e == nil {
		return nil
	}
	if len(a.entries) == cap(a.entries) {
		a.entries = make([]Entry, 0, longer(cap(a.entries), arenaEntries))
	}
	a.entries = append(a.entries, *e)
	return &a.entries[len(a.entries)-1]
}

// join is Join, with the result in the arena.
func (a *arena) join(dir string, name []byte) string {
	need := len(dir) + 1 + len(name)
	if cap(a.text)-len(a.text) < need {
		a.text = make([]byte, 0, max(longer(cap(a.text), arenaText), need))
	}
	start := len(a.text)
	if dir != "" {
		a.text = append(append(a.text, dir...), '/')
	}
	a.text = append(a.text, name...)
	// The bytes are never written to again: what follows is appended behind them.
	return unsafe.String(&a.text[start], len(a.text)-start)
}

func (a *arena) add(c Change) {
	if len(a.changes) == cap(a.changes) {
		if a.changes != nil {
			a.full = append(a.full, a.changes)
		}
		a.piece = longer(a.piece, arenaChanges)
		a.changes = make([]Change, 0, a.piece)
	}
	a.changes = append(a.changes, c)
}

// sorted merges what several arenas hold into one slice of exactly the right size, and empties them.
func sorted(arenas []*arena) []Change {
	var pieces [][]Change
	total := 0
	for _, a := range arenas {
		pieces = append(append(pieces, a.full...), a.changes)
		*a = arena{entries: a.entries, text: a.text, piece: a.piece}
	}
	for _, p := range pieces {
		total += len(p)
	}
	if total == 0 {
		return nil
	}
	all := make([]Change, 0, total)
	for i := range pieces {
		all = append(all, pieces[i]...)
		pieces[i] = nil // to be collected before the next is copied
	}
	slices.SortFunc(all, func(a, b Change) int { return ComparePaths(a.Path, b.Path) })
	return all
}
