package journal

import (
	"time"

	"zombiezen.com/go/sqlite"
)

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
func (j *Journal) Fail(failures []Failure) error {
	if len(failures) == 0 {
		return nil
	}
	return j.write("record failures", func(t *transaction) error {
		for i := range failures {
			if err := t.addFailure(&failures[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *transaction) addFailure(f *Failure) error {
	return query(t.Conn, `INSERT INTO failure (path, class, message, tries, first, last) VALUES (?1, ?2, ?3, 1, ?4, ?4)
		ON CONFLICT DO UPDATE SET class = excluded.class, message = excluded.message, tries = tries + 1, last = excluded.last`,
		nil, f.Path, f.Class, f.Message, nanos(f.At))
}

// Failures returns up to limit of them, by path.
func (j *Journal) Failures(limit int) (rows []FailureRow, err error) {
	err = j.read("read failures", func(c *sqlite.Conn) error {
		return query(c, "SELECT path, class, message, tries, first, last FROM failure ORDER BY path LIMIT ?",
			func(s *sqlite.Stmt) error {
				last := fromNanos(s.ColumnInt64(5))
				rows = append(rows, FailureRow{
					Failure: Failure{Path: s.ColumnText(0), Class: s.ColumnText(1), Message: s.ColumnText(2), At: last},
					Tries:   s.ColumnInt64(3), First: fromNanos(s.ColumnInt64(4)), Last: last,
				})
				return nil
			}, limit)
	})
	return rows, err
}

func (t *transaction) failedPaths() (map[string]bool, error) {
	paths := make(map[string]bool)
	err := query(t.Conn, "SELECT path FROM failure", func(s *sqlite.Stmt) error {
		paths[s.ColumnText(0)] = true
		return nil
	})
	return paths, err
}

func (t *transaction) dropFailures(paths map[string]bool) error {
	for path := range paths {
		if err := t.dropPath("DELETE FROM failure WHERE path = ?", path); err != nil {
			return err
		}
	}
	return nil
}
