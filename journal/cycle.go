package journal

import (
	"time"

	"github.com/snapsync/snapsync/journal/database"
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

// beginCycle makes a new cycle the one that acknowledgements belong to.
func beginCycle(t *database.Tx, at time.Time) (int64, error) {
	err := t.Exec(`INSERT INTO cycle (began, first_history)
		VALUES (?, (SELECT coalesce(max(id), 0) + 1 FROM history))`, database.Nanos(at))
	return t.LastInsertRowID(), err
}

// openCycle returns the cycle that has not ended, 0 if there is none. Only the newest can be open.
func openCycle(t *database.Tx) (int64, error) {
	return t.Int("SELECT id FROM cycle WHERE id = (SELECT max(id) FROM cycle) AND ended = 0")
}

// closeOpen ends the cycle that a crash left open, or that another one takes the place of, if there is one:
// it ended when it last acknowledged something.
func closeOpen(t *database.Tx, outcome string) error {
	open, err := openCycle(t)
	if err != nil || open == 0 {
		return err
	}
	return endCycle(t, open, time.Time{}, &CycleResult{Outcome: outcome})
}

// endCycle ends the newest cycle; at is zero for the time of its last acknowledgement. One in which nothing was acknowledged
// leaves no row.
func endCycle(t *database.Tx, id int64, at time.Time, r *CycleResult) error {
	acked, err := t.Int(`SELECT coalesce((SELECT max(id) FROM history), 0) >=
		(SELECT first_history FROM cycle WHERE id = ?)`, id)
	if err != nil {
		return err
	}
	if acked == 0 {
		return t.Exec("DELETE FROM cycle WHERE id = ?", id)
	}
	ended := database.Nanos(at)
	if ended == 0 {
		if ended, err = t.Int("SELECT at FROM history ORDER BY id DESC LIMIT 1"); err != nil {
			return err
		}
	}
	return t.Exec("UPDATE cycle SET ended = max(?, 1), outcome = ?, failed = ?, held = ? WHERE id = ?",
		ended, r.Outcome, r.Failed, r.Held, id)
}

// Cycles returns up to limit acknowledged snapshots, newest first.
func (h *history) Cycles(limit int) (cycles []Cycle, err error) {
	err = h.db.Read("read snapshots", func(c database.Conn) error {
		return c.Query(`SELECT id, began, ended, sent, copied, touched, moved, deleted, upload_bytes, failed, held, outcome
			FROM cycle WHERE (SELECT max(id) FROM history) >= first_history ORDER BY id DESC LIMIT ?`,
			func(row database.Row) error {
				cycles = append(cycles, Cycle{
					ID: row.ColumnInt64(0), Began: row.ColumnTime(1), Ended: row.ColumnTime(2),
					CycleResult: CycleResult{
						Sent: row.ColumnInt64(3), Copied: row.ColumnInt64(4), Touched: row.ColumnInt64(5), Moved: row.ColumnInt64(6),
						Deleted: row.ColumnInt64(7), UploadBytes: row.ColumnInt64(8), Failed: row.ColumnInt64(9),
						Held: row.ColumnInt64(10), Outcome: row.ColumnText(11),
					},
				})
				return nil
			}, limit)
	})
	return cycles, err
}
