package journal

import (
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// Outcomes that mean something here. The rest are the engine's words.
const (
	OutcomeIdle        = "idle"        // everything that could be done is done
	OutcomeContinued   = "continued"   // another cycle went on with what this one left
	OutcomeInterrupted = "interrupted" // a crash, or a person
)

// CycleResult is what a cycle did.
type CycleResult struct {
	Sent, Copied, Touched, Moved, Deleted int64 // acknowledged steps; removed directories do not count
	UploadBytes                           int64
	Failed, Held                          int64
	Outcome                               string
}

// Cycle is a snapshot that the remote has acknowledged, all of it if Outcome is OutcomeIdle and
// nothing failed or is held.
type Cycle struct {
	ID    int64
	Began time.Time
	Ended time.Time // zero: it runs, or a crash ended it
	CycleResult
}

func (r *CycleResult) add(d *Done) {
	switch s := &d.Step; s.Action {
	case Move:
		r.Moved++
	case Delete:
		if !s.Dir {
			r.Deleted++
		}
	case Send:
		r.addSend(s.How, d.Entry)
	}
}

func (r *CycleResult) addSend(how How, e *snapshot.Entry) {
	switch how {
	case Copy:
		r.Copied++
	case Touch:
		r.Touched++
	default:
		r.Sent++
		if e != nil {
			r.UploadBytes += e.Size
		}
	}
}

// beginCycle makes a new cycle the one that acknowledgements belong to.
func (t *transaction) beginCycle(at time.Time) (int64, error) {
	err := query(t.Conn, `INSERT INTO cycle (began, first_history)
		VALUES (?, (SELECT coalesce(max(id), 0) + 1 FROM history))`, nil, nanos(at))
	t.j.cycle = t.LastInsertRowID()
	return t.j.cycle, err
}

func (t *transaction) countCycle(r *CycleResult) error {
	return query(t.Conn, `UPDATE cycle SET sent = sent + ?, copied = copied + ?, touched = touched + ?,
		moved = moved + ?, deleted = deleted + ?, upload_bytes = upload_bytes + ? WHERE id = ?`,
		nil, r.Sent, r.Copied, r.Touched, r.Moved, r.Deleted, r.UploadBytes, t.j.cycle)
}

// Finish ends a cycle. Of r only Failed, Held and Outcome are used: the rest was counted as it was
// acknowledged, so that a crash cannot lose it. A cycle in which nothing was acknowledged leaves no
// row. rec is remembered in the same transaction; nil: nothing is. A crash right before leaves an open cycle, which the next
// Begin closes, and with it all that was claimed in doubt; one right after leaves nothing to do.
// Then history beyond the retention is removed; a crash before that leaves it to the next Finish.
func (j *Journal) Finish(cycle int64, r CycleResult, rec *Record, at time.Time) error {
	err := j.write("finish", func(t *transaction) error {
		if cycle != 0 {
			if err := t.endCycle(cycle, nanos(at), &r); err != nil {
				return err
			}
		}
		j.cycle = 0
		return t.remember(rec, at)
	})
	if err != nil {
		return err
	}
	return j.prune(at)
}

// closeOpen ends the cycle that a crash left open, or that another one takes the place of, if there is one:
// it ended when it last acknowledged something.
func (t *transaction) closeOpen(outcome string) error {
	open, err := openCycle(t.Conn)
	if err != nil || open == 0 {
		return err
	}
	return t.endCycle(open, 0, &CycleResult{Outcome: outcome})
}

// openCycle returns the cycle that has not ended, 0 if there is none. Only the newest can be open.
func openCycle(c *sqlite.Conn) (int64, error) {
	return queryInt(c, "SELECT id FROM cycle WHERE id = (SELECT max(id) FROM cycle) AND ended = 0")
}

// endCycle ends the newest cycle.
func (t *transaction) endCycle(id, at int64, r *CycleResult) error {
	acked, err := queryInt(t.Conn, `SELECT coalesce((SELECT max(id) FROM history), 0) >=
		(SELECT first_history FROM cycle WHERE id = ?)`, id)
	if err != nil {
		return err
	}
	if acked == 0 {
		return query(t.Conn, "DELETE FROM cycle WHERE id = ?", nil, id)
	}
	if at == 0 {
		if at, err = queryInt(t.Conn, "SELECT at FROM history ORDER BY id DESC LIMIT 1"); err != nil {
			return err
		}
	}
	return query(t.Conn, "UPDATE cycle SET ended = max(?, 1), outcome = ?, failed = ?, held = ? WHERE id = ?",
		nil, at, r.Outcome, r.Failed, r.Held, id)
}

// Cycles returns up to limit acknowledged snapshots, newest first.
func (j *Journal) Cycles(limit int) (cycles []Cycle, err error) {
	err = j.read("read snapshots", func(c *sqlite.Conn) error {
		return query(c, `SELECT id, began, ended, sent, copied, touched, moved, deleted, upload_bytes, failed, held, outcome
			FROM cycle WHERE (SELECT max(id) FROM history) >= first_history ORDER BY id DESC LIMIT ?`,
			func(s *sqlite.Stmt) error {
				cycles = append(cycles, Cycle{
					ID: s.ColumnInt64(0), Began: fromNanos(s.ColumnInt64(1)), Ended: fromNanos(s.ColumnInt64(2)),
					CycleResult: CycleResult{
						Sent: s.ColumnInt64(3), Copied: s.ColumnInt64(4), Touched: s.ColumnInt64(5), Moved: s.ColumnInt64(6),
						Deleted: s.ColumnInt64(7), UploadBytes: s.ColumnInt64(8), Failed: s.ColumnInt64(9),
						Held: s.ColumnInt64(10), Outcome: s.ColumnText(11),
					},
				})
				return nil
			}, limit)
	})
	return cycles, err
}
