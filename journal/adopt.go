package journal

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// Adopt replaces the base by what fill adds, in any order: a listing of the remote. Directories that
// lead to a path are added if fill does not. Where a remote has a file beside things beneath the same
// path, the directory wins, since the base holds one kind at a path. A path added twice keeps the
// second entry.
//
// If fill fails, or ctx is done, the base stays as it was: a partial listing would make files look
// absent. On success State.Adopted is true. A crash in the middle leaves the old base.
func (j *Journal) Adopt(ctx context.Context, fill func(add func(path string, e snapshot.Entry) error) error) error {
	return j.write("adopt", func(t *transaction) error {
		// The index goes first: to fill it in the order of a listing costs ten times more than to rebuild it.
		for _, q := range []string{"DROP INDEX IF EXISTS base_content", "DELETE FROM base"} {
			if err := query(t.Conn, q, nil); err != nil {
				return err
			}
		}
		clear(j.dirs)
		t.base = true
		var ours error // of the journal; what else fill returns is its own
		err := fill(func(path string, e snapshot.Entry) error {
			if ours == nil {
				ours = ctx.Err()
			}
			if ours == nil {
				ours = t.adopt(path, &e)
			}
			return ours // for ever: a fill that goes on adds nothing more
		})
		switch {
		case ours != nil:
			return ours
		case err != nil:
			return &foreign{err}
		}
		return t.finishAdopting(ctx)
	})
}

func (t *transaction) adopt(path string, e *snapshot.Entry) error {
	if err := checkPath(path); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	dir, _ := snapshot.Split(path)
	if err := t.adoptParents(dir); err != nil {
		return err
	}
	if e.Kind == snapshot.Dir {
		t.know(path)
	}
	return t.listed(path, e)
}

// listed stores an entry, unless it is no directory and a directory is there.
func (t *transaction) listed(path string, e *snapshot.Entry) error {
	return t.storeWith(`INSERT INTO base (dir, name, entry) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET entry = excluded.entry
		WHERE substr(excluded.entry, 2, 1) = x'02' OR substr(base.entry, 2, 1) <> x'02'`, path, e)
}

func (t *transaction) adoptParents(dir string) error {
	for ; dir != ""; dir, _ = snapshot.Split(dir) {
		if _, known := t.j.dirs[dir]; known {
			return nil
		}
		t.know(dir)
		var was snapshot.Entry
		found, err := t.get(dir, &was)
		if err != nil {
			return err
		}
		if found && was.Kind == snapshot.Dir {
			return nil
		}
		if err := t.store(dir, &snapshot.Entry{Kind: snapshot.Dir, Flags: snapshot.Adopted}); err != nil {
			return err
		}
	}
	return nil
}

// finishAdopting counts the new base and marks it as adopted.
func (t *transaction) finishAdopting(ctx context.Context) error {
	var sum Totals
	if err := walk(ctx, t.Conn, func(_ string, e *snapshot.Entry) error {
		sum.count(e, 1)
		return nil
	}); err != nil {
		return err
	}
	if err := setTotals(t.Conn, sum); err != nil {
		return err
	}
	return updateDocument(t, func(s *EngineState) { s.Adopted = true })
}

func setTotals(c *sqlite.Conn, t Totals) error {
	return query(c, "UPDATE counter SET files = ?, bytes = ?, dirs = ?, retained = ?, retained_bytes = ?",
		nil, t.Files, t.Bytes, t.Dirs, t.Retained, t.RetainedBytes)
}
