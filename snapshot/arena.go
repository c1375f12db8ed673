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
func (s *arena) entry(e *Entry) *Entry {
	if e == nil {
		return nil
	}
	if len(s.entries) == cap(s.entries) {
		s.entries = make([]Entry, 0, longer(cap(s.entries), arenaEntries))
	}
	s.entries = append(s.entries, *e)
	return &s.entries[len(s.entries)-1]
}

// join is Join, with the result in the arena.
func (s *arena) join(dir string, name []byte) string {
	need := len(dir) + 1 + len(name)
	if cap(s.text)-len(s.text) < need {
		s.text = make([]byte, 0, max(longer(cap(s.text), arenaText), need))
	}
	start := len(s.text)
	if dir != "" {
		s.text = append(append(s.text, dir...), '/')
	}
	s.text = append(s.text, name...)
	// The bytes are never written to again: what follows is appended behind them.
	return unsafe.String(&s.text[start], len(s.text)-start)
}

func (s *arena) add(c Change) {
	if len(s.changes) == cap(s.changes) {
		if s.changes != nil {
			s.full = append(s.full, s.changes)
		}
		s.piece = longer(s.piece, arenaChanges)
		s.changes = make([]Change, 0, s.piece)
	}
	s.changes = append(s.changes, c)
}

// drain gives up all changes, piece by piece.
func (s *arena) drain() [][]Change {
	all := append(s.full, s.changes)
	*s = arena{entries: s.entries, text: s.text, piece: s.piece}
	return all
}

// sorted merges what several arenas hold into one slice of exactly the right size, and empties them.
func sorted(arenas []*arena) []Change {
	var pieces [][]Change
	total := 0
	for _, s := range arenas {
		pieces = append(pieces, s.drain()...)
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
