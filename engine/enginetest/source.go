package enginetest

import (
	"bytes"
	"io"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Source is a remote.Source over bytes in memory.
type Source struct {
	Content []byte
	Mtime   time.Time
	Link    bool // Content is the target of a symbolic link

	// FailAt is after how many bytes the stream fails, if FailWith is set. It must be before the last one: a real source
	// finds out that it changed no later.
	FailAt   int
	FailWith error

	// Chunk is the most that one Read returns; 0: no limit.
	Chunk int
	// OnRead is called before each Read. May be nil.
	OnRead func()

	Opened int // how often Open was called
}

var _ remote.Source = (*Source)(nil)

// Text returns a file.
func Text(content string, mtime time.Time) *Source {
	return &Source{Content: []byte(content), Mtime: mtime}
}

// Entry implements remote.Source.
func (s *Source) Entry() snapshot.Entry {
	kind := snapshot.File
	if s.Link {
		kind = snapshot.Symlink
	}
	return snapshot.Entry{Kind: kind, Size: int64(len(s.Content)), Mtime: s.Mtime.UnixNano()}
}

// Open implements remote.Source.
func (s *Source) Open() (io.ReadCloser, error) {
	s.Opened++
	content := s.Content
	if s.FailWith != nil {
		content = content[:s.FailAt]
	}
	return io.NopCloser(&stream{s: s, in: bytes.NewReader(content)}), nil
}

type stream struct {
	s  *Source
	in *bytes.Reader
}

func (r *stream) Read(p []byte) (int, error) {
	if r.s.OnRead != nil {
		r.s.OnRead()
	}
	if r.s.Chunk > 0 && len(p) > r.s.Chunk {
		p = p[:r.s.Chunk]
	}
	n, err := r.in.Read(p)
	if err == io.EOF && r.s.FailWith != nil {
		err = r.s.FailWith
	}
	return n, err
}
