package journal

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// Totals counts what the base holds.
type Totals struct {
	Files, Bytes  int64 // files and symlinks that the source holds too
	Dirs          int64 // directories that the source holds too
	Retained      int64 // files that only the remote holds
	RetainedBytes int64
}

// count adds e n times.
func (t *Totals) count(e *snapshot.Entry, n int64) {
	switch retained := e.Flags.Has(snapshot.Retained); {
	case e.Kind == snapshot.Dir && !retained:
		t.Dirs += n
	case e.Kind == snapshot.Dir:
	case retained:
		t.Retained += n
		t.RetainedBytes += n * e.Size
	default:
		t.Files += n
		t.Bytes += n * e.Size
	}
}

// Totals returns what the base holds, at a cost that does not depend on how much it is.
func (j *Journal) Totals() (t Totals, err error) {
	err = j.read("read totals", func(c *sqlite.Conn) error {
		t, err = readTotals(c)
		return err
	})
	return t, err
}

func readTotals(c *sqlite.Conn) (t Totals, err error) {
	err = query(c, "SELECT files, bytes, dirs, retained, retained_bytes FROM counter", func(s *sqlite.Stmt) error {
		t = Totals{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2), s.ColumnInt64(3), s.ColumnInt64(4)}
		return nil
	})
	return t, err
}

// Lookup returns what the base holds at path, nil if nothing.
func (j *Journal) Lookup(path string) (e *snapshot.Entry, err error) {
	err = j.read("look up path", func(c *sqlite.Conn) error {
		dir, name := snapshot.Split(path)
		return query(c, "SELECT entry FROM base WHERE dir = ? AND name = ?", func(s *sqlite.Stmt) error {
			if e, err = columnEntry(s, 0); err != nil {
				return damaged("base of %q: %w", path, err)
			}
			return nil
		}, dir, name)
	})
	return e, err
}

// Walk calls fn for everything in the base, ordered by directory and then by name, both in byte
// order. It sees one state. An error of fn ends the walk.
func (j *Journal) Walk(ctx context.Context, fn func(path string, e *snapshot.Entry) error) error {
	return j.read("walk base", func(c *sqlite.Conn) error {
		return walk(ctx, c, func(path string, e *snapshot.Entry) error {
			if err := fn(path, e); err != nil {
				return &foreign{err}
			}
			return nil
		})
	})
}

func walk(ctx context.Context, c *sqlite.Conn, fn func(path string, e *snapshot.Entry) error) error {
	s, err := prepare(c, "SELECT dir, name, entry FROM base ORDER BY dir, name")
	if err != nil {
		return err
	}
	return s.each(func() error {
		path := snapshot.Join(s.ColumnText(0), s.ColumnText(1))
		e, err := columnEntry(s.Stmt, 2)
		if err != nil {
			return damaged("base of %q: %w", path, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return fn(path, e)
	})
}

// columnEntry decodes an entry into memory of its own; nil for NULL.
func columnEntry(s *sqlite.Stmt, col int) (*snapshot.Entry, error) {
	if s.ColumnIsNull(col) {
		return nil, nil
	}
	var row [packedSize + 1]byte
	e := new(snapshot.Entry)
	if err := unpack(row[:s.ColumnBytes(col, row[:])], e); err != nil {
		return nil, err
	}
	return e, nil
}
