package snapshot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"
)

// ErrChanged means that a file was not the same before, while and after it was read. What was read
// of it must not be acknowledged, and must not become visible.
var ErrChanged = errors.New("source changed while it was read")

// Content is one file of the source, or the target of one symbolic link, to be read once and as it
// was at one moment. The bytes are hashed on their way. Its methods may be called concurrently with
// those of the streams that it opens; OnRead is set before the first Open.
type Content struct {
	// OnRead is told how many bytes each Read is about to hand out. May be nil; must be quick.
	OnRead func(n int)

	cfg    Config
	anchor *anchor
	path   string
	entry  Entry

	mu     sync.Mutex // guards what follows: a stream may be read in a goroutine of its reader's
	result Entry
	whole  bool
}

// NewContent looks at path, relative to cfg.Root, as it is now. The error wraps fs.ErrNotExist if it
// is gone, and ErrChanged if it is something that has no content, such as a directory. It is to be closed.
func NewContent(cfg Config, path string) (*Content, error) {
	a, err := openAnchor(cfg.Root)
	if err != nil {
		return nil, lost("stat", path, fs.ErrNotExist, err)
	}
	e, err := cfg.statIn(a, path)
	if err == nil && e.Kind != File && (e.Kind != Symlink || cfg.Links != KeepLinks) {
		err = fmt.Errorf("read %q: %w: it is not a file any more", path, ErrChanged)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return &Content{cfg: cfg.withDefaults(), anchor: a, path: path, entry: e}, nil
}

// Close lets go of the source's root, whose file system cannot be unmounted before. Nothing may be opened, or read to
// the end, afterwards.
func (c *Content) Close() { c.anchor.Close() }

// Entry is what is being read, as NewContent saw it.
func (c *Content) Entry() Entry { return c.entry }

// Result returns the entry with the hash of all bytes that were handed out, and true, once a stream
// was read to its end. The entry is Racy if a write could have gone unnoticed while, or could go
// unnoticed after, it was read.
func (c *Content) Result() (Entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result, c.whole
}

// Open starts reading from the first byte. The stream hands out exactly Entry().Size bytes and then
// io.EOF, or it fails with ErrChanged before it hands out the last of them (of an empty file: before
// io.EOF). To know, it looks once more at the open file and at the path when it has read the last
// byte. It may be called again, for a retry; each stream is read by one goroutine at a time.
func (c *Content) Open() (io.ReadCloser, error) {
	s := &stream{content: c, hash: hashers.Get().(*xxh3.Hasher128), observed: c.cfg.Now()}
	if c.entry.Kind == Symlink {
		target, err := c.anchor.readLink(c.path)
		if err != nil {
			return nil, lost("read link", c.path, ErrChanged, err)
		}
		s.from = strings.NewReader(target)
		return s, nil
	}
	f, err := c.anchor.open(c.path, c.cfg.Links == FollowLinks)
	if err != nil {
		return nil, lost("open", c.path, ErrChanged, err)
	}
	s.from, s.file = f, f
	if err := s.unchanged(); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// hashers holds hashers that are new or reset. One has more than a kilobyte: for many small files they were a
// fifth of all that was allocated.
var hashers = sync.Pool{New: func() any { return xxh3.New128() }}

// lookEvery is how many bytes are read between two looks at the open file.
const lookEvery = 1 << 20

// stream is one reading of a Content.
type stream struct {
	content  *Content
	from     io.Reader
	file     *file           // nil for a symbolic link
	hash     *xxh3.Hasher128 // nil once all was found in order
	observed time.Time       // before the file was opened; see racy
	read     int64
	looked   int64 // what was read when the open file was last found unchanged
	err      error // sticky; io.EOF once all was found in order
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	size := s.content.entry.Size
	if s.err == nil && s.read == size {
		s.err = s.finish() // of an empty file: any other was finished with the last byte
	}
	if s.err != nil || len(p) == 0 {
		return 0, s.err
	}
	if s.read-s.looked >= lookEvery { // what grows for hours is not read, and sent, to its end to be thrown away
		if s.err = s.unchanged(); s.err != nil {
			return 0, s.err
		}
		s.looked = s.read
	}
	n, err := s.from.Read(p[:min(int64(len(p)), size-s.read)])
	if n == 0 {
		s.err = s.failed(err)
		return 0, s.err
	}
	s.hash.Write(p[:n])
	if s.read += int64(n); s.read == size {
		if s.err = s.finish(); s.err != io.EOF {
			return 0, s.err
		}
	}
	if s.content.OnRead != nil {
		s.content.OnRead(n)
	}
	return n, nil
}

// failed is the error of a read that gave no bytes although some are missing.
func (s *stream) failed(err error) error {
	switch err {
	case nil:
		return io.ErrNoProgress
	case io.EOF:
		return fmt.Errorf("read %q: %w: it became shorter", s.content.path, ErrChanged)
	}
	return fmt.Errorf("read %q: %w", s.content.path, err)
}

// finish returns io.EOF if what was read is one state of the file, and the path still leads to that file beneath the
// root that NewContent opened.
func (s *stream) finish() error {
	if err := s.unchanged(); err != nil {
		return err
	}
	c := s.content
	now, err := c.cfg.statIn(c.anchor, c.path)
	if err != nil {
		return lost("read", c.path, ErrChanged, err)
	}
	if !now.SameStat(&c.entry) {
		return fmt.Errorf("read %q: %w: another file took its path", c.path, ErrChanged)
	}
	now.HashType, now.Hash = XXH3, Hash(s.hash.Sum128().Bytes())
	s.hash.Reset()
	hashers.Put(s.hash)
	s.hash = nil
	if racy(&now, s.observed) {
		now.Flags |= Racy
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result, c.whole = now, true
	return io.EOF
}

// unchanged compares the open file with what NewContent saw.
func (s *stream) unchanged() error {
	if s.file == nil {
		return nil
	}
	var now Entry
	if err := s.file.stat(&now); err != nil {
		return fmt.Errorf("stat %q: %w", s.content.path, err)
	}
	if !now.SameStat(&s.content.entry) {
		return fmt.Errorf("read %q: %w", s.content.path, ErrChanged)
	}
	return nil
}

// Close implements io.Closer.
func (s *stream) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
