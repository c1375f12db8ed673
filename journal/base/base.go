// Package base is what the remote is known to hold: a row of the journal for each path, with the entry that was acknowledged last.
// A Base reads it, a Writer changes it within a transaction of the caller's. Directories that lead to a path have rows of their
// own; sums and the index of contents are kept true by every change.
//
// What is read is validated: a flipped bit is database.ErrDamaged and never a delete.
package base

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Base reads. All methods may be called from any goroutine, but Sizes and Holding from one at a time.
type Base struct {
	db       *database.DB
	contents contents // of a journal that may not create its index
}

// New returns the base in db.
func New(db *database.DB) *Base { return &Base{db: db} }

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
func (b *Base) Totals() (t Totals, err error) {
	err = b.db.Read("read totals", func(c database.Conn) error {
		t, err = readTotals(c)
		return err
	})
	return t, err
}

func readTotals(c database.Conn) (t Totals, err error) {
	err = c.Query("SELECT files, bytes, dirs, retained, retained_bytes FROM counter", func(row database.Row) error {
		t = Totals{row.ColumnInt64(0), row.ColumnInt64(1), row.ColumnInt64(2), row.ColumnInt64(3), row.ColumnInt64(4)}
		return nil
	})
	return t, err
}

// Lookup returns what the base holds at path, nil if nothing.
func (b *Base) Lookup(path string) (e *snapshot.Entry, err error) {
	err = b.db.Read("look up path", func(c database.Conn) error {
		e, err = lookup(c, path)
		return err
	})
	return e, err
}

func lookup(c database.Conn, path string) (*snapshot.Entry, error) {
	e := new(snapshot.Entry)
	dir, name := snapshot.Split(path)
	if found, err := find(c, dir, name, e); err != nil || !found {
		return nil, err
	}
	return e, nil
}

// find reads one row into e and reports whether there is one.
func find(c database.Conn, dir, name string, e *snapshot.Entry) (bool, error) {
	return c.Prepare("SELECT entry FROM base WHERE dir = ? AND name = ?").Text(dir).Text(name).First(func(row database.Row) error {
		return damaged(row.ReadEntry(0, e), dir, name)
	})
}

// damaged says which row an error, which may be nil, is about.
func damaged(err error, dir, name string) error {
	if err == nil {
		return nil
	}
	return database.Damaged("base of %q: %w", snapshot.Join(dir, name), err)
}

// Walk calls fn for everything in the base, ordered by directory and then by name, both in byte
// order. It sees one state. An error of fn ends the walk.
func (b *Base) Walk(ctx context.Context, fn func(path string, e *snapshot.Entry) error) error {
	return b.db.Read("walk base", func(c database.Conn) error {
		return walk(ctx, c, func(path string, e *snapshot.Entry) error {
			if err := fn(path, e); err != nil {
				return database.Foreign(err)
			}
			return nil
		})
	})
}

func walk(ctx context.Context, c database.Conn, fn func(path string, e *snapshot.Entry) error) error {
	return c.Prepare("SELECT dir, name, entry FROM base ORDER BY dir, name").Each(func(row database.Row) error {
		dir, name := row.ColumnText(0), row.ColumnText(1)
		e, err := row.ColumnEntry(2)
		if err != nil {
			return damaged(err, dir, name)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return fn(snapshot.Join(dir, name), e)
	})
}

// CheckPath reports a path that is not one: only our own mistakes lead here.
func CheckPath(path string) error {
	for rest := path; ; {
		dir, name := snapshot.Split(rest)
		if name == "" || name == "." || name == ".." {
			return fmt.Errorf("path %q: not a relative path of names", path)
		}
		if dir == "" && len(rest) == len(name) {
			return nil
		}
		rest = dir
	}
}
