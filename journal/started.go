package journal

import (
	"time"

	"zombiezen.com/go/sqlite"
)

// Started returns the steps that were claimed and not acknowledged, in order: after a crash nobody
// knows which of them happened. Begin would drop them, so their outcome is to be found out first.
func (j *Journal) Started() (steps []Step, err error) {
	err = j.read("read started steps", func(c *sqlite.Conn) error {
		return query(c, selectSteps+"WHERE seq <= (SELECT claimed FROM counter) AND held = 0 ORDER BY seq", func(s *sqlite.Stmt) error {
			step, err := columnStep(s)
			if err != nil {
				return damaged("step %d: %w", s.ColumnInt64(0), err)
			}
			steps = append(steps, step)
			return nil
		})
	})
	return steps, err
}

// Settle records that the outcome of every started step is known: it was acknowledged, or it did not
// happen. What their uploads may have left under temporary names stays remembered. A crash before it
// costs a second look at the remote.
func (j *Journal) Settle(at time.Time) error {
	return j.write("settle steps", func(t *transaction) error { return t.settle(at) })
}

func (t *transaction) settle(at time.Time) error {
	if err := t.rememberTemps(at); err != nil {
		return err
	}
	return query(t.Conn, "UPDATE counter SET claimed = 0 WHERE claimed > 0", nil)
}
