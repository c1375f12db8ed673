package journal

import (
	"time"

	"github.com/snapsync/snapsync/journal/database"
)

// temps are the paths whose interrupted upload may have left a temporary name on the remote.
type temps struct{ db *database.DB }

const deleteTemp = "DELETE FROM temp WHERE path = ?"

// Temps returns them all, sorted by bytes.
func (p *temps) Temps() ([]string, error) { return p.read("SELECT path FROM temp ORDER BY path") }

// StaleTemps returns those of Temps, and of the paths with an unfinished upload, that no pending upload
// is going to replace or to finish.
func (p *temps) StaleTemps() ([]string, error) {
	return p.read(`SELECT path FROM (SELECT path FROM temp UNION SELECT path FROM upload) WHERE path NOT IN
		(SELECT path FROM step WHERE action = ? AND how = ? AND held = 0) ORDER BY path`, int64(Send), int64(Upload))
}

func (p *temps) read(text string, args ...any) (paths []string, err error) {
	err = p.db.Read("read temporary names", func(c database.Conn) error {
		return c.Query(text, func(row database.Row) error {
			paths = append(paths, row.ColumnText(0))
			return nil
		}, args...)
	})
	return paths, err
}

// ForgetTemps forgets paths whose temporary names are known to be gone. A crash before it costs a
// second look at the remote.
func (p *temps) ForgetTemps(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	return p.db.Write("forget temporary names", func(t *database.Tx) error {
		for _, path := range paths {
			if err := t.Prepare(deleteTemp).Text(path).Run(); err != nil {
				return err
			}
		}
		return nil
	})
}

// rememberTemps keeps the paths of uploads that were claimed and not acknowledged.
func rememberTemps(t *database.Tx, at time.Time) error {
	return t.Exec(`INSERT OR IGNORE INTO temp (path, since)
		SELECT path, ? FROM step WHERE action = ? AND how = ? AND seq <= (SELECT claimed FROM counter)`,
		database.Nanos(at), int64(Send), int64(Upload))
}
