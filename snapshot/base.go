package snapshot

// Base is what the remote is known to hold, seen one directory at a time. The journal implements it.
type Base interface {
	// Reader opens a cursor on a consistent state of the base. A cursor belongs to one goroutine;
	// several may be open at once. All cursors that one scan opens must show the same state.
	Reader() (BaseReader, error)
}

// BaseReader walks the children of one directory of the base at a time, or finds one of them.
type BaseReader interface {
	// Open positions the reader before the first child of dir. "" is the root. A directory that
	// the base does not know has no children.
	Open(dir string) error
	// Next returns the next child in byte order of names, or a nil name after the last one. Both
	// results are only valid until the next call of any method: callers copy what they keep.
	// Retained entries are returned too.
	Next() (name []byte, e *Entry, err error)
	// Find returns the child of dir with this name, nil if there is none, at a cost that does not depend on
	// how many children there are. It is only valid until the next call of any method. It does not
	// move the reader.
	Find(dir, name string) (e *Entry, err error)
	Close() error
}

// Empty is the base of a remote that holds nothing.
type Empty struct{}

// Reader implements Base.
func (Empty) Reader() (BaseReader, error) { return emptyReader{}, nil }

type emptyReader struct{}

func (emptyReader) Open(string) error                   { return nil }
func (emptyReader) Next() ([]byte, *Entry, error)       { return nil, nil, nil }
func (emptyReader) Find(string, string) (*Entry, error) { return nil, nil }
func (emptyReader) Close() error                        { return nil }
