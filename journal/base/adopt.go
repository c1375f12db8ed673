package base

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Adopt replaces the base by what fill adds, in any order: a listing of the remote. Directories that
// lead to a path are added if fill does not. Where a remote has a file beside things beneath the same
// path, the directory wins, since the base holds one kind at a path. A path added twice keeps the
// second entry.
//
// Adopt fails if fill fails or ctx is done: a partial listing would make files look absent.
func (w *Writer) Adopt(ctx context.Context, t *database.Tx, fill func(add func(path string, e snapshot.Entry) error) error) error {
	// The index goes first: to fill it in the order of a listing costs ten times more than to rebuild it.
	for _, q := range []string{removeIndex, "DELETE FROM base"} {
		if err := t.Exec(q); err != nil {
			return err
		}
	}
	clear(w.dirs)
	t.OnRollback(func() { clear(w.dirs) })
	t.OutdatesViews()
	e := &Edit{Tx: t, dirs: w.dirs}
	var ours error // of the journal; what else fill returns is its own
	err := fill(func(path string, now snapshot.Entry) error {
		if ours == nil {
			ours = ctx.Err()
		}
		if ours == nil {
			ours = e.adopt(path, &now)
		}
		return ours // for ever: a fill that goes on adds nothing more
	})
	switch {
	case ours != nil:
		return ours
	case err != nil:
		return database.Foreign(err)
	}
	return countAll(ctx, t)
}

// adopt stores an entry, unless it is no directory and a directory is there.
func (e *Edit) adopt(path string, now *snapshot.Entry) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	if err := now.Validate(); err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	dir, _ := snapshot.Split(path)
	if err := e.adoptParents(dir); err != nil {
		return err
	}
	if now.Kind == snapshot.Dir {
		e.dirs.add(path)
	}
	return e.storeWith(`INSERT INTO base (dir, name, entry) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET entry = excluded.entry
		WHERE substr(excluded.entry, 2, 1) = x'02' OR substr(base.entry, 2, 1) <> x'02'`, path, now)
}

// adoptParents makes sure that dir and every directory above it has a row, in the place of a file.
func (e *Edit) adoptParents(dir string) error {
	for ; dir != ""; dir, _ = snapshot.Split(dir) {
		if _, known := e.dirs[dir]; known {
			return nil
		}
		e.dirs.add(dir)
		was, err := lookup(e.Conn, dir)
		if err != nil || was != nil && was.Kind == snapshot.Dir {
			return err
		}
		if err := e.store(dir, &snapshot.Entry{Kind: snapshot.Dir, Flags: snapshot.Adopted}); err != nil {
			return err
		}
	}
	return nil
}

// countAll writes the totals of a base of which only the rows are known.
func countAll(ctx context.Context, t *database.Tx) error {
	var sum Totals
	if err := walk(ctx, t.Conn, func(_ string, e *snapshot.Entry) error {
		sum.count(e, 1)
		return nil
	}); err != nil {
		return err
	}
	return t.Exec("UPDATE counter SET files = ?, bytes = ?, dirs = ?, retained = ?, retained_bytes = ?",
		sum.Files, sum.Bytes, sum.Dirs, sum.Retained, sum.RetainedBytes)
}
