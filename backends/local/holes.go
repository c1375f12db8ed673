package local

import (
	"bytes"
	"io"
	"os"
)

// holes writes to a file, from its start, and leaves out blocks of zeros: they read as zeros all the same, and take no space.
// Where a file system has no holes it fills them itself.
type holes struct {
	f    *os.File
	size int64 // of what was written
	end  int64 // of the file as it is: less than size if the last block was left out
}

var _ io.Writer = (*holes)(nil)

// block is what most file systems give to a file at once.
const block = 4096

var zeros [block]byte

// Write implements io.Writer. Blocks that have content and are neighbours are written at once.
func (h *holes) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		keep := h.content(p)
		if keep > 0 {
			n, err := h.f.WriteAt(p[:keep], h.size)
			h.size += int64(n)
			h.end = h.size
			if err != nil {
				return written - len(p) + n, err
			}
		} else {
			keep = block
			h.size += block
		}
		p = p[keep:]
	}
	return written, nil
}

// content is how much of p comes before its first whole block of zeros.
func (h *holes) content(p []byte) int {
	at := min(int(-h.size&(block-1)), len(p)) // to where a block begins
	for ; at+block <= len(p); at += block {
		if bytes.Equal(p[at:at+block], zeros[:]) {
			return at
		}
	}
	return len(p)
}

// finish gives the file its size.
func (h *holes) finish() error {
	if h.end == h.size {
		return nil
	}
	return h.f.Truncate(h.size)
}
