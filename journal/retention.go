package journal

import (
	"cmp"
	"time"

	"github.com/snapsync/snapsync/journal/database"
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
func (h *history) Retention(r Retention) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retention = r
}

// prune removes the history that is too old or too much, and with it the cycles and the outbox rows
// that are about nothing else. Age goes by whole cycles. Nothing is written if nothing has to go.
func (h *history) prune(now time.Time) error {
	h.mu.Lock()
	r := h.retention
	h.mu.Unlock()
	keep, err := h.firstKept(now.Add(-cmp.Or(r.MaxAge, defaultMaxAge)), cmp.Or(r.MaxRows, defaultMaxRows))
	if err != nil || keep == 0 {
		return err
	}
	return h.db.Write("prune history", func(t *database.Tx) error {
		for _, q := range []string{
			"DELETE FROM history WHERE id < ?",
			"DELETE FROM outbox WHERE last < ?",
			"UPDATE outbox SET first = ?1 WHERE first < ?1",
			`DELETE FROM cycle WHERE ended <> 0 AND id < (SELECT max(id) FROM cycle WHERE first_history <= ?)`,
		} {
			if err := t.Exec(q, keep); err != nil {
				return err
			}
		}
		return nil
	})
}

// firstKept returns the number of the first history row to keep, 0 if all of them stay.
func (h *history) firstKept(oldest time.Time, rows int64) (keep int64, err error) {
	err = h.db.Read("read history", func(c database.Conn) error {
		// The cycles that ended before oldest are a prefix; what the first of the others did stays.
		keep, err = c.Int(`SELECT CASE WHEN keep > low THEN keep ELSE 0 END FROM (SELECT
			(SELECT min(id) FROM history) AS low,
			min((SELECT max(id) FROM history), max(
				(SELECT max(id) FROM history) - ?1 + 1,
				coalesce((SELECT min(first_history) FROM cycle WHERE ended = 0 OR ended >= ?2),
					(SELECT max(id) FROM history)))) AS keep)`, rows, database.Nanos(oldest))
		return err
	})
	return keep, err
}
