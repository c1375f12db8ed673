package journal

import (
	"time"

	"github.com/snapsync/snapsync/journal/database"
)

// failures are the paths that could not be made true.
type failures struct{ db *database.DB }

const deleteFailure = "DELETE FROM failure WHERE path = ?"

// Failure is one attempt that did not make a path true.
type Failure struct {
	Path    string
	Class   string // the engine's word for the kind of error
	Message string // for a person
	At      time.Time
}

// FailureRow is what is remembered about a path that fails: its last error.
type FailureRow struct {
	Failure           // of the last attempt; At equals Last
	Tries       int64 // in a row
	First, Last time.Time
}

// Fail remembers failures. Their steps stay pending. A path is forgotten when a step on it is
// acknowledged, or when Begin gets a plan without it.
func (f *failures) Fail(rows []Failure) error {
	if len(rows) == 0 {
		return nil
	}
	return f.db.Write("record failures", func(t *database.Tx) error {
		for i := range rows {
			row := &rows[i]
			if err := t.Exec(`INSERT INTO failure (path, class, message, tries, first, last) VALUES (?1, ?2, ?3, 1, ?4, ?4)
				ON CONFLICT DO UPDATE SET class = excluded.class, message = excluded.message, tries = tries + 1, last = excluded.last`,
				row.Path, row.Class, row.Message, database.Nanos(row.At)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Failures returns up to limit of them, by path.
func (f *failures) Failures(limit int) (rows []FailureRow, err error) {
	err = f.db.Read("read failures", func(c database.Conn) error {
		return c.Query("SELECT path, class, message, tries, first, last FROM failure ORDER BY path LIMIT ?",
			func(row database.Row) error {
				last := row.ColumnTime(5)
				rows = append(rows, FailureRow{
					Failure: Failure{Path: row.ColumnText(0), Class: row.ColumnText(1), Message: row.ColumnText(2), At: last},
					Tries:   row.ColumnInt64(3), First: row.ColumnTime(4), Last: last,
				})
				return nil
			}, limit)
	})
	return rows, err
}

// forgetFailures forgets those of the paths that were looked at and for which no step is planned again.
func forgetFailures(t *database.Tx, planned []Step, looked func(path string) bool) error {
	gone := make(map[string]bool)
	if err := t.Query("SELECT path FROM failure", func(row database.Row) error {
		if path := row.ColumnText(0); looked(path) {
			gone[path] = true
		}
		return nil
	}); err != nil || len(gone) == 0 {
		return err
	}
	for i := range planned {
		delete(gone, planned[i].Path)
	}
	for path := range gone {
		if err := t.Prepare(deleteFailure).Text(path).Run(); err != nil {
			return err
		}
	}
	return nil
}
