package journal

import (
	"maps"
	"slices"

	"zombiezen.com/go/sqlite"
)

// transaction is one writing transaction. It collects what changes in the sums, so that they are
// written once.
type transaction struct {
	*sqlite.Conn
	j       *Journal
	base    bool // the base changed
	totals  Totals
	backlog map[int64]waiting // by since
	row     packed            // scratch
}

// waiting is a change in how many steps wait.
type waiting struct{ steps, held int64 }

// write runs fn in a transaction: all of it is durable when write returns nil, and none of it
// happened otherwise. A panic of fn leaves none of it either.
func (j *Journal) write(op string, fn func(t *transaction) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.readOnly:
		return j.fail(op, errReadOnly)
	case j.conn == nil:
		return j.fail(op, errClosed)
	}
	return j.fail(op, j.transact(op, fn))
}

func (j *Journal) transact(op string, fn func(t *transaction) error) (err error) {
	if err := query(j.conn, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	cycle, done := j.cycle, false
	defer func() {
		if !done {
			rollback(j.conn)
			j.cycle = cycle
			clear(j.dirs)
		}
	}()
	t := &transaction{Conn: j.conn, j: j, backlog: make(map[int64]waiting)}
	rows := t.rows()
	if err := fn(t); err != nil {
		return err
	}
	if err := t.writeSums(); err != nil {
		return err
	}
	told := j.intercept != nil && t.rows() > rows
	if told {
		if err := j.intercept(op, false); err != nil {
			return err
		}
	}
	if err := t.commit(); err != nil {
		return err
	}
	done = true
	if told {
		return j.intercept(op, true)
	}
	return nil
}

// rows counts the rows that were written on this connection, for Intercept; 0 if there is nobody to tell.
func (t *transaction) rows() (n int64) {
	if t.j.intercept != nil {
		n, _ = queryInt(t.Conn, "SELECT total_changes()")
	}
	return n
}

// Intercept has fn called just before each commit that writes a row, and once more when it is durable, with what was
// attempted. An error from it is that of the method that writes, and before the commit nothing is written then. It is for tests:
// so a process ends there, or its disk fails, before or after it has taken effect. nil: nobody is told.
func (j *Journal) Intercept(fn func(op string, durable bool) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.intercept = fn
}

func (t *transaction) commit() error {
	t.j.cursors.Lock()
	defer t.j.cursors.Unlock()
	if err := query(t.Conn, "COMMIT", nil); err != nil {
		return err
	}
	if t.base {
		t.j.cursors.version++
	}
	return nil
}

// writeSums brings counter and backlog up to date with what the transaction did.
func (t *transaction) writeSums() error {
	if t.totals != (Totals{}) {
		d := t.totals
		if err := query(t.Conn, `UPDATE counter SET files = files + ?, bytes = bytes + ?, dirs = dirs + ?,
			retained = retained + ?, retained_bytes = retained_bytes + ?`,
			nil, d.Files, d.Bytes, d.Dirs, d.Retained, d.RetainedBytes); err != nil {
			return err
		}
	}
	for _, since := range slices.Sorted(maps.Keys(t.backlog)) {
		w := t.backlog[since]
		if err := query(t.Conn, `INSERT INTO backlog (since, steps, held) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET steps = steps + excluded.steps, held = held + excluded.held`,
			nil, since, w.steps, w.held); err != nil {
			return err
		}
	}
	if len(t.backlog) == 0 {
		return nil
	}
	return query(t.Conn, "DELETE FROM backlog WHERE steps = 0", nil)
}

// wait adds to the backlog.
func (t *transaction) wait(since int64, change waiting) {
	w := t.backlog[since]
	t.backlog[since] = waiting{w.steps + change.steps, w.held + change.held}
}
