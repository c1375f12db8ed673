package journal

import (
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// history reads what was acknowledged, and bounds it.
type history struct {
	db        *database.DB
	mu        sync.Mutex
	retention Retention // guarded by mu
}

// HistoryRow is an acknowledged step.
type HistoryRow struct {
	ID, Cycle int64
	At        time.Time
	Action    Action
	How       How
	Reason    Reason
	Path      string
	From      string // of a Move and of a Copy
	Dir       bool
	Files     int64           // of a Move with Dir: files beneath it
	Before    *snapshot.Entry // what the base held: at From of a Move, at Path otherwise; nil: nothing
	After     *snapshot.Entry // what the base held afterwards at Path; nil: nothing
}

// HistoryQuery selects rows. Zero fields do not restrict.
type HistoryQuery struct {
	Path       string // this path or anything beneath it, as Path or as From
	Cycle      int64  // of exactly this cycle
	AfterCycle int64  // of later cycles
	UpToCycle  int64  // of this cycle and earlier ones
	Limit      int
	Newest     bool // newest first; oldest first otherwise
}

// History returns the rows that q selects. With a Path it may read all of the history, which is
// bounded; without one it reads what it returns.
func (h *history) History(q HistoryQuery) (rows []HistoryRow, err error) {
	text, args := q.sql()
	err = h.db.Read("read history", func(c database.Conn) error {
		return c.Query(text, func(row database.Row) error {
			r, err := columnHistory(row)
			if err != nil {
				return database.Damaged("history row %d: %w", row.ColumnInt64(0), err)
			}
			rows = append(rows, r)
			return nil
		}, args...)
	})
	return rows, err
}

// sql builds the query. Cycles are turned into ranges of row numbers, which need no index: the rows
// of a cycle are consecutive.
func (q *HistoryQuery) sql() (text string, args []any) {
	where := []string{"true"}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Cycle != 0 {
		add("cycle = ?", q.Cycle)
		add("id >= coalesce((SELECT first_history FROM cycle WHERE id = ?), 0)", q.Cycle)
		add("id < coalesce((SELECT min(first_history) FROM cycle WHERE id > ?), 9223372036854775807)", q.Cycle)
	}
	if q.AfterCycle != 0 {
		add("id >= coalesce((SELECT min(first_history) FROM cycle WHERE id > ?), 9223372036854775807)", q.AfterCycle)
	}
	if q.UpToCycle != 0 {
		add("id < coalesce((SELECT min(first_history) FROM cycle WHERE id > ?), 9223372036854775807)", q.UpToCycle)
	}
	if p := q.Path; p != "" {
		add("(path = ? OR path >= ? AND path < ? OR from_path = ? OR from_path >= ? AND from_path < ?)",
			p, p+"/", p+"0", p, p+"/", p+"0")
	}
	text = "SELECT " + historyColumns + " FROM history WHERE " + strings.Join(where, " AND ") + " ORDER BY id"
	if q.Newest {
		text += " DESC"
	}
	if q.Limit > 0 {
		text += " LIMIT ?"
		args = append(args, q.Limit)
	}
	return text, args
}

const historyColumns = "id, cycle, at, action, how, reason, path, from_path, dir, files, before, after"

func columnHistory(row database.Row) (r HistoryRow, err error) {
	r = HistoryRow{
		ID: row.ColumnInt64(0), Cycle: row.ColumnInt64(1), At: row.ColumnTime(2),
		Action: Action(row.ColumnInt64(3)), How: How(row.ColumnInt64(4)), Reason: Reason(row.ColumnInt64(5)),
		Path: row.ColumnText(6), From: row.ColumnText(7), Dir: row.ColumnBool(8), Files: row.ColumnInt64(9),
	}
	if r.Before, err = row.ColumnEntry(10); err != nil {
		return r, err
	}
	r.After, err = row.ColumnEntry(11)
	return r, err
}

// addHistory writes one row.
func addHistory(c database.Conn, r *HistoryRow) error {
	return c.Prepare("INSERT INTO history (" + historyColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").
		Int(r.ID).Int(r.Cycle).Time(r.At).Int(int64(r.Action)).Int(int64(r.How)).Int(int64(r.Reason)).
		Text(r.Path).Name(r.From).Bool(r.Dir).Int(r.Files).Entry(r.Before).Entry(r.After).Run()
}

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
	if r.MaxAge <= 0 {
		r.MaxAge = defaultMaxAge
	}
	if r.MaxRows <= 0 {
		r.MaxRows = defaultMaxRows
	}
	keep, err := h.firstKept(now.Add(-r.MaxAge), r.MaxRows)
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
