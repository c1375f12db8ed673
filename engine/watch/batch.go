package watch

import (
	"context"

	"github.com/snapsync/snapsync/engine/hint"
)

// batch is the hints that are given together. All events of a batch are older than that, so that the hints of one path
// make one.
type batch struct {
	give    func(hint.Hint)
	pending []hint.Hint
	index   map[string]int // into pending, by path
}

func (b *batch) add(h hint.Hint) {
	if at, ok := b.index[h.Path]; ok {
		b.pending[at].Deep = b.pending[at].Deep || h.Deep
		b.pending[at].Gone = h.Gone
		return
	}
	b.index[h.Path] = len(b.pending)
	b.pending = append(b.pending, h)
}

// keepHints is the capacity up to which the memory of a batch is used again.
const keepHints = 4096

// flush gives the hints, until ctx is done.
func (b *batch) flush(ctx context.Context) {
	for _, h := range b.pending {
		if ctx.Err() != nil {
			break
		}
		b.give(h)
	}
	if cap(b.pending) > keepHints {
		b.pending, b.index = nil, make(map[string]int)
		return
	}
	clear(b.pending)
	b.pending = b.pending[:0]
	clear(b.index)
}
