package rclone

import (
	"context"
	"io"
	"sync"
)

// buffers are for what is large, or of unknown size: one per transfer under way.
var buffers = sync.Pool{New: func() any { b := make([]byte, 512<<10); return &b }}

// smallBuffers are for the rest: they stay in the processor's cache.
var smallBuffers = sync.Pool{New: func() any { b := make([]byte, smallBuffer); return &b }}

const smallBuffer = 32 << 10

// Copy is io.Copy with a context and under the bandwidth limit, and it never hands the copying to the reader or the
// writer, which would choose their own buffers. size is what in is expected to give; < 0: not known.
func Copy(ctx context.Context, out io.Writer, in io.Reader, size int64) (int64, error) {
	pool := &buffers
	if size >= 0 && size < smallBuffer {
		pool = &smallBuffers
	}
	buf := pool.Get().(*[]byte)
	defer pool.Put(buf)
	return copyBuffer(ctx, out, in, *buf)
}

func copyBuffer(ctx context.Context, out io.Writer, in io.Reader, buf []byte) (int64, error) {
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := in.Read(buf[:ThrottledRead(len(buf))])
		Throttle(n)
		if n > 0 {
			if _, werr := out.Write(buf[:n]); werr != nil {
				return total, werr
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
