package journal

import (
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

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
func (j *Journal) History(q HistoryQuery) (rows []HistoryRow, err error) {
	text, args := q.sql()
	err = j.read("read history", func(c *sqlite.Conn) error {
		return query(c, text, func(s *sqlite.Stmt) error {
			row, err := columnHistory(s)
			if err != nil {
				return damaged("history row %d: %w", s.ColumnInt64(0), err)
			}
			rows = append(rows, row)
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

func columnHistory(s *sqlite.Stmt) (r HistoryRow, err error) {
	r = HistoryRow{
		ID: s.ColumnInt64(0), Cycle: s.ColumnInt64(1), At: fromNanos(s.ColumnInt64(2)),
		Action: Action(s.ColumnInt64(3)), How: How(s.ColumnInt64(4)), Reason: Reason(s.ColumnInt64(5)),
		Path: s.ColumnText(6), From: s.ColumnText(7), Dir: s.ColumnBool(8), Files: s.ColumnInt64(9),
	}
	if r.Before, err = columnEntry(s, 10); err != nil {
		return r, err
	}
	r.After, err = columnEntry(s, 11)
	return r, err
}

// record writes one row.
func (t *transaction) record(id, cycle int64, d *Done, before *snapshot.Entry) error {
	q, err := prepare(t.Conn, "INSERT INTO history ("+historyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	q.int(id)
	q.int(cycle)
	q.int(nanos(d.At))
	q.int(int64(d.Step.Action))
	q.int(int64(d.Step.How))
	q.int(int64(d.Step.Reason))
	q.text(d.Step.Path)
	q.name(d.Step.From)
	q.bool(d.Step.Dir)
	q.int(int64(d.Step.Files))
	q.blob(t.row.pack(before))
	q.blob(t.row.pack(d.Entry))
	return q.run()
}
