package journal

import (
	"bytes"
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// Reader implements snapshot.Base. Each cursor has a connection and a read transaction of its own, so
// it shows one state for as long as it is open, and several of them read in parallel. All cursors
// that are open at once show the same state: rather than break that, Reader fails if the base has
// changed since the first of them was opened. An open cursor does not stop the writer; the
// write-ahead log grows meanwhile.
func (j *Journal) Reader() (snapshot.BaseReader, error) {
	c, err := j.readers.take()
	if err != nil {
		return nil, j.fail("open cursor", err)
	}
	r := &reader{j: j, c: c, row: make([]byte, packedSize+1), name: make([]byte, 256)}
	if err := r.start(); err != nil {
		rollback(c)
		j.readers.give(c)
		return nil, j.fail("open cursor", err)
	}
	return r, nil
}

// reader is a cursor. Rows are copied into its own buffers, so Next allocates nothing.
type reader struct {
	j    *Journal
	c    *sqlite.Conn // nil after Close
	s    stmt
	find stmt // prepared at the first question
	dir  string
	more bool
	name []byte
	row  []byte // one byte longer than an entry, so that a longer blob shows
	e    snapshot.Entry
}

// start begins the read transaction and books the cursor.
func (r *reader) start() error {
	at := &r.j.cursors
	at.Lock()
	defer at.Unlock()
	if at.open > 0 && at.shown != at.version {
		return errStale
	}
	if err := query(r.c, "BEGIN", nil); err != nil {
		return err
	}
	// BEGIN reads nothing: the first read fixes the state.
	if _, err := queryInt(r.c, "SELECT last_seq FROM counter"); err != nil {
		return err
	}
	var err error
	if r.s, err = prepare(r.c, "SELECT name, entry FROM base WHERE dir = ? ORDER BY name"); err != nil {
		return err
	}
	at.open++
	at.shown = at.version
	return nil
}

// Open implements snapshot.BaseReader.
func (r *reader) Open(dir string) error {
	if r.c == nil {
		return r.j.fail("read base", errClosed)
	}
	r.dir, r.more = dir, true
	err := r.s.Reset()
	r.s.BindText(1, dir)
	return r.j.fail("read base", err)
}

// Next implements snapshot.BaseReader.
func (r *reader) Next() ([]byte, *snapshot.Entry, error) {
	if !r.more {
		return nil, nil, nil // a further step would start over
	}
	var err error
	if r.more, err = r.s.Step(); err == nil && r.more {
		err = r.decode()
	}
	switch {
	case err != nil:
		r.more = false
		return nil, nil, r.j.fail("read base", err)
	case !r.more:
		return nil, nil, nil
	}
	return r.name, &r.e, nil
}

// Find implements snapshot.BaseReader.
func (r *reader) Find(dir, name string) (*snapshot.Entry, error) {
	if r.c == nil {
		return nil, r.j.fail("read base", errClosed)
	}
	found, err := r.findRow(dir, name)
	if err != nil || !found {
		return nil, r.j.fail("read base", err)
	}
	return &r.e, nil
}

func (r *reader) findRow(dir, name string) (found bool, err error) {
	if r.find.Stmt == nil {
		if r.find, err = prepare(r.c, "SELECT entry FROM base WHERE dir = ? AND name = ?"); err != nil {
			return false, err
		}
	}
	r.find.BindText(1, dir)
	r.find.BindText(2, name)
	if found, err = r.find.Step(); err == nil && found {
		if err = unpack(r.row[:r.find.ColumnBytes(0, r.row)], &r.e); err != nil {
			err = damaged("base of %q: %w", snapshot.Join(dir, name), err)
		}
	}
	return found, errors.Join(err, r.find.Reset())
}

func (r *reader) decode() error {
	n := r.s.ColumnLen(0)
	if n > cap(r.name) {
		r.name = make([]byte, n)
	}
	r.name = r.name[:n]
	r.s.ColumnBytes(0, r.name)
	if n == 0 || bytes.IndexByte(r.name, '/') >= 0 {
		return damaged("base of %q: impossible name %q", r.dir, r.name)
	}
	if err := unpack(r.row[:r.s.ColumnBytes(1, r.row)], &r.e); err != nil {
		return damaged("base of %q: %w", snapshot.Join(r.dir, string(r.name)), err)
	}
	return nil
}

// Close implements snapshot.BaseReader.
func (r *reader) Close() error {
	if r.c == nil {
		return nil
	}
	err := r.s.Reset()
	err = errors.Join(err, query(r.c, "COMMIT", nil))
	rollback(r.c)
	r.j.readers.give(r.c)
	r.c, r.more = nil, false
	r.j.cursors.Lock()
	defer r.j.cursors.Unlock()
	r.j.cursors.open--
	return r.j.fail("close cursor", err)
}
