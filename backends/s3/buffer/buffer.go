// Package buffer holds in memory what requests send, within one budget.
package buffer

import (
	"context"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"

	"github.com/rclone/rclone/lib/pool"
	"golang.org/x/sync/semaphore"

	"github.com/snapsync/snapsync/snapshot"
)

// Buffer holds what one request sends. It is filled once, and may be sent several times.
type Buffer struct {
	Size int64
	give func() // returns what Get took

	mu    sync.RWMutex // an HTTP transport may read on after its request has ended
	pages [][]byte     // all but the last of pool.BufferSize; nil once they were returned
}

// Budget bounds the bytes of all buffers of a Connection, whatever the number and size of the files.
type Budget struct {
	limit int64
	left  *semaphore.Weighted
}

func NewBudget(limit int64) *Budget {
	return &Budget{limit: limit, left: semaphore.NewWeighted(limit)}
}

// Get returns an empty buffer for size bytes, once so much is left. A size above the limit, of a part of a file of
// terabytes, takes the whole budget.
func (b *Budget) Get(ctx context.Context, size int64) (*Buffer, error) {
	if size <= Small {
		return &Buffer{Size: size, give: func() {}, pages: [][]byte{make([]byte, size)}}, nil
	}
	n := min(size, b.limit)
	if err := b.left.Acquire(ctx, n); err != nil {
		return nil, err
	}
	all := pool.Global().GetN(int((size + pool.BufferSize - 1) / pool.BufferSize))
	pages := slices.Clone(all)
	last := len(pages) - 1
	pages[last] = pages[last][:size-int64(last)*pool.BufferSize]
	return &Buffer{Size: size, pages: pages, give: func() {
		pool.Global().PutN(all)
		b.left.Release(n)
	}}, nil
}

// Free gives the memory back. Readers of b that are still at it see its end.
func (b *Buffer) Free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages = nil
	b.give()
}

// Small is a size up to which a buffer costs neither budget nor pages of the pool, which are of 1 MiB.
const Small = 32 << 10

// Fill reads exactly the buffer's size from in.
func (b *Buffer) Fill(ctx context.Context, in io.Reader) error {
	for _, page := range b.pages {
		for done := 0; done < len(page); {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := in.Read(page[done:])
			done += n
			if err == io.EOF && done < len(page) {
				return fmt.Errorf("%w: it ended early", snapshot.ErrChanged)
			}
			if err != nil && err != io.EOF {
				return err
			}
		}
	}
	return nil
}

// Sum is the hash of the content.
func (b *Buffer) Sum(h hash.Hash) []byte {
	for _, page := range b.pages {
		h.Write(page)
	}
	return h.Sum(nil)
}

// Body returns the content from its beginning.
func (b *Buffer) Body() io.ReadSeeker { return io.NewSectionReader(b, 0, b.Size) }

// ReadAt implements io.ReaderAt.
func (b *Buffer) ReadAt(p []byte, at int64) (n int, err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for n < len(p) {
		i := int(at / pool.BufferSize)
		if i >= len(b.pages) {
			return n, io.EOF
		}
		m := copy(p[n:], b.pages[i][at%pool.BufferSize:])
		n, at = n+m, at+int64(m)
	}
	return n, nil
}
