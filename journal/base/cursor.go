package base

import (
	"bytes"
	"errors"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Reader returns a cursor for a scan. It shows one state for as long as it is open, and so do all that are open at once: rather
// than break that, Reader fails if the base has changed since the first of them was opened. An open cursor does not stop the
// writer; the write-ahead log grows meanwhile.
func (b *Base) Reader() (snapshot.BaseReader, error) {
	v, err := b.db.View()
	if err != nil {
		return nil, err
	}
	c := &cursor{View: v, name: make([]byte, 256)}
	if c.rows, err = v.Prepare("SELECT name, entry FROM base WHERE dir = ? ORDER BY name").Cursor(); err != nil {
		return nil, errors.Join(v.Fail("open cursor", err), v.Close())
	}
	return c, nil
}

// cursor implements snapshot.BaseReader. Rows are copied into its own buffers, so Next allocates nothing.
type cursor struct {
	*database.View
	rows database.Row
	more bool
	dir  string
	name []byte
	e    snapshot.Entry
}

// Open implements snapshot.BaseReader.
func (c *cursor) Open(dir string) error {
	if err := c.Closed(); err != nil {
		return c.Fail("read base", err)
	}
	c.dir, c.more = dir, true
	err := c.rows.Reset()
	c.rows.BindText(1, dir)
	return c.Fail("read base", err)
}

// Next implements snapshot.BaseReader.
func (c *cursor) Next() ([]byte, *snapshot.Entry, error) {
	if !c.more {
		return nil, nil, nil // a further step would start over
	}
	var err error
	if c.more, err = c.rows.Step(); err == nil && c.more {
		err = c.decode()
	}
	switch {
	case err != nil:
		c.more = false
		return nil, nil, c.Fail("read base", err)
	case !c.more:
		return nil, nil, nil
	}
	return c.name, &c.e, nil
}

func (c *cursor) decode() error {
	n := c.rows.ColumnLen(0)
	if n > cap(c.name) {
		c.name = make([]byte, n)
	}
	c.name = c.name[:n]
	c.rows.ColumnBytes(0, c.name)
	if n == 0 || bytes.IndexByte(c.name, '/') >= 0 {
		return database.Damaged("base of %q: impossible name %q", c.dir, c.name)
	}
	if err := c.rows.ReadEntry(1, &c.e); err != nil {
		return damaged(err, c.dir, string(c.name))
	}
	return nil
}

// Find implements snapshot.BaseReader.
func (c *cursor) Find(dir, name string) (*snapshot.Entry, error) {
	err := c.Closed()
	if err == nil {
		var found bool
		if found, err = find(c.Conn, dir, name, &c.e); found {
			return &c.e, nil
		}
	}
	return nil, c.Fail("read base", err)
}

// Close implements snapshot.BaseReader.
func (c *cursor) Close() error {
	if c.Closed() != nil {
		return nil
	}
	c.more = false
	return errors.Join(c.Fail("close cursor", c.rows.Reset()), c.View.Close())
}
