package database

import (
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// Stmt is a statement whose values are bound in order:
//
//	c.Prepare("DELETE FROM base WHERE dir = ? AND name = ?").Text(dir).Text(name).Run()
//
// An error of Prepare is returned when it runs. A statement is prepared once per connection and cached there, so that a second one
// of the same text must not be bound before the first has run.
type Stmt struct {
	stmt  *sqlite.Stmt
	bound int
	err   error
}

// Prepare returns the statement of text with nothing bound.
func (c Conn) Prepare(text string) Stmt {
	s, err := c.Conn.Prepare(text)
	if err != nil {
		s = new(sqlite.Stmt) // which ignores what is bound
	}
	return Stmt{stmt: s, err: err}
}

// Text binds a string.
func (s Stmt) Text(v string) Stmt {
	s.bound++
	s.stmt.BindText(s.bound, v)
	return s
}

// Name binds a string, but "" as NULL, which costs no allocation in SQLite.
func (s Stmt) Name(v string) Stmt {
	if v != "" {
		return s.Text(v)
	}
	s.bound++
	s.stmt.BindNull(s.bound)
	return s
}

// Int binds a number.
func (s Stmt) Int(v int64) Stmt {
	s.bound++
	s.stmt.BindInt64(s.bound, v)
	return s
}

// Bool binds 0 or 1.
func (s Stmt) Bool(v bool) Stmt {
	s.bound++
	s.stmt.BindBool(s.bound, v)
	return s
}

// Blob binds bytes; nil as an empty blob.
func (s Stmt) Blob(v []byte) Stmt {
	s.bound++
	s.stmt.BindBytes(s.bound, v)
	return s
}

// Time binds a time as Nanos.
func (s Stmt) Time(v time.Time) Stmt { return s.Int(Nanos(v)) }

// Entry binds the 64 bytes of an entry; nil as NULL.
func (s Stmt) Entry(e *snapshot.Entry) Stmt {
	if e != nil {
		p := pack(e)
		return s.Blob(p[:])
	}
	s.bound++
	s.stmt.BindNull(s.bound)
	return s
}

// Run executes a statement that returns no rows.
func (s Stmt) Run() error {
	if s.err != nil {
		return s.err
	}
	_, err := s.stmt.Step()
	return err
}

// Each calls fn for every row and leaves the statement reset, whatever happens.
func (s Stmt) Each(fn func(Row) error) error {
	if s.err != nil {
		return s.err
	}
	for {
		more, err := s.stmt.Step()
		if err != nil || !more {
			return err
		}
		if err := fn(Row{s.stmt}); err != nil {
			_ = s.stmt.Reset()
			return err
		}
	}
}

// First calls fn for the first row, and reports whether there is one.
func (s Stmt) First(fn func(Row) error) (found bool, err error) {
	if s.err != nil {
		return false, s.err
	}
	if found, err = s.stmt.Step(); err != nil || !found {
		return false, err
	}
	err = fn(Row{s.stmt})
	_ = s.stmt.Reset() // which repeats an error of Step
	return err == nil, err
}

// Exists reports whether there is a row.
func (s Stmt) Exists() (bool, error) { return s.First(func(Row) error { return nil }) }

// Cursor returns the statement to be stepped by hand.
func (s Stmt) Cursor() (Row, error) { return Row{s.stmt}, s.err }

// Row is what a statement returns, valid until its next step.
type Row struct{ *sqlite.Stmt }

// ColumnTime reads what Nanos wrote.
func (r Row) ColumnTime(col int) time.Time {
	n := r.ColumnInt64(col)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// ColumnEntry decodes an entry into memory of its own; nil for NULL.
func (r Row) ColumnEntry(col int) (*snapshot.Entry, error) {
	if r.ColumnIsNull(col) {
		return nil, nil
	}
	e := new(snapshot.Entry)
	if err := r.ReadEntry(col, e); err != nil {
		return nil, err
	}
	return e, nil
}

// ReadEntry decodes an entry into e.
func (r Row) ReadEntry(col int, e *snapshot.Entry) error {
	var p [packedSize + 1]byte // one byte longer than an entry, so that a longer blob shows
	return unpack(p[:r.ColumnBytes(col, p[:])], e)
}

// Nanos is how a time is stored: nanoseconds since 1970, and 0 for the zero time.
func Nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
