package generic

import (
	"context"
	"io"
	"sync"

	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
)

// tap is the stream of one upload. It hashes and throttles, and keeps a backend that was given up on from reading a
// source that the engine has moved on from.
type tap struct {
	ctx  context.Context
	hash *hash.MultiHasher // nil: not needed

	mu     sync.Mutex // guards what follows, and what hash has seen
	in     io.ReadCloser
	err    error // why the source failed
	begun  bool  // somebody has read
	closed bool
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.read(p[:rclone.ThrottledRead(len(p))])
	rclone.Throttle(n)
	return n, err
}

func (t *tap) read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, io.ErrClosedPipe
	}
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	t.begun = true
	n, err := t.in.Read(p)
	if t.hash != nil {
		_, _ = t.hash.Write(p[:n])
	}
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

func (t *tap) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return t.in.Close()
}

// sum returns the hash of what was read.
func (t *tap) sum(h hash.Type) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hash.SumString(h, false)
}
