package journal

import (
	"time"

	"zombiezen.com/go/sqlite"
)

// Temps returns the paths, sorted by bytes, whose interrupted upload may have left a temporary name
// on the remote.
func (j *Journal) Temps() (paths []string, err error) {
	err = j.read("read temporary names", func(c *sqlite.Conn) error {
		return query(c, "SELECT path FROM temp ORDER BY path", func(s *sqlite.Stmt) error {
			paths = append(paths, s.ColumnText(0))
			return nil
		})
	})
	return paths, err
}

// StaleTemps returns those of Temps, and of the paths with an unfinished upload, that no pending upload
// is going to replace or to finish.
func (j *Journal) StaleTemps() (paths []string, err error) {
	err = j.read("read temporary names", func(c *sqlite.Conn) error {
		return query(c, `SELECT path FROM (SELECT path FROM temp UNION SELECT path FROM upload) WHERE path NOT IN
			(SELECT path FROM step WHERE action = ? AND how = ? AND held = 0) ORDER BY path`,
			func(s *sqlite.Stmt) error {
				paths = append(paths, s.ColumnText(0))
				return nil
			}, int64(Send), int64(Upload))
	})
	return paths, err
}

// ForgetTemps is for paths whose temporary names are known to be gone. A crash before it costs a
// second look at the remote.
func (j *Journal) ForgetTemps(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	return j.write("forget temporary names", func(t *transaction) error {
		for _, path := range paths {
			if err := t.dropPath("DELETE FROM temp WHERE path = ?", path); err != nil {
				return err
			}
		}
		return nil
	})
}

// rememberTemps keeps the paths of uploads that were claimed and not acknowledged.
func (t *transaction) rememberTemps(at time.Time) error {
	return query(t.Conn, `INSERT OR IGNORE INTO temp (path, since)
		SELECT path, ? FROM step WHERE action = ? AND how = ? AND seq <= (SELECT claimed FROM counter)`,
		nil, nanos(at), int64(Send), int64(Upload))
}
