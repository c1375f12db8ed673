package journal

import (
	"time"

	"zombiezen.com/go/sqlite"
)

// Retention bounds the history.
type Retention struct {
	MaxAge  time.Duration // 0: 90 days
	MaxRows int64         // 0: 1,000,000
}

const (
	defaultMaxAge  = 90 * 24 * time.Hour
	defaultMaxRows = 1_000_000
)

// Retention sets how much history Finish keeps. The newest row is always kept.
func (j *Journal) Retention(r Retention) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retention = r
}

func (r Retention) orDefault() Retention {
	if r.MaxAge <= 0 {
		r.MaxAge = defaultMaxAge
	}
	if r.MaxRows <= 0 {
		r.MaxRows = defaultMaxRows
	}
	return r
}

// prune removes the history that is too old or too much, and with it the cycles and the outbox rows
// that are about nothing else. Age goes by whole cycles. Nothing is written if nothing has to go.
func (j *Journal) prune(now time.Time) error {
	j.mu.Lock()
	r := j.retention.orDefault()
	j.mu.Unlock()
	keep, err := j.firstKept(now.Add(-r.MaxAge), r.MaxRows)
	if err != nil || keep == 0 {
		return err
	}
	return j.write("prune history", func(t *transaction) error {
		for _, q := range []string{
			"DELETE FROM history WHERE id < ?",
			"DELETE FROM outbox WHERE last < ?",
			"UPDATE outbox SET first = ?1 WHERE first < ?1",
			`DELETE FROM cycle WHERE ended <> 0 AND id < (SELECT max(id) FROM cycle WHERE first_history <= ?)`,
		} {
			if err := query(t.Conn, q, nil, keep); err != nil {
				return err
			}
		}
		return nil
	})
}

// firstKept returns the number of the first history row to keep, 0 if all of them stay.
func (j *Journal) firstKept(oldest time.Time, rows int64) (keep int64, err error) {
	err = j.read("read history", func(c *sqlite.Conn) error {
		// The cycles that ended before oldest are a prefix; what the first of the others did stays.
		keep, err = queryInt(c, `SELECT CASE WHEN keep > low THEN keep ELSE 0 END FROM (SELECT
			(SELECT min(id) FROM history) AS low,
			min((SELECT max(id) FROM history), max(
				(SELECT max(id) FROM history) - ?1 + 1,
				coalesce((SELECT min(first_history) FROM cycle WHERE ended = 0 OR ended >= ?2),
					(SELECT max(id) FROM history)))) AS keep)`, rows, nanos(oldest))
		return err
	})
	return keep, err
}
