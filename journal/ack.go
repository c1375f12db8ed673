package journal

import (
	"fmt"
	"time"

	"github.com/snapsync/snapsync/journal/base"
	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Done is a step that the remote has confirmed.
type Done struct {
	Step  Step
	Entry *snapshot.Entry // what the base now holds at Step.Path; nil: nothing
	At    time.Time
}

// Ack records that the remote has confirmed a group of steps, in the order given. In one transaction
// the base is folded, the steps go, and history, outbox and the cycle's counts are written; the
// failure and the temporary name of a path that was sent are forgotten. A crash before the commit
// repeats the group, which every step allows; a crash right after it does not.
//
// A step numbered 0 was not planned: it is folded and recorded alike. A step that is not pending is a
// mistake of the caller, and nothing of the group is recorded.
func (j *Journal) Ack(done []Done) error {
	if len(done) == 0 {
		return nil
	}
	return j.db.Write("acknowledge steps", func(t *database.Tx) error {
		return j.writer.Edit(t, 0, func(e *base.Edit) error {
			a := acknowledgement{Edit: e}
			if err := a.begin(done[0].At); err != nil {
				return err
			}
			for i := range done {
				if err := a.add(&done[i]); err != nil {
					return fmt.Errorf("%v %q: %w", done[i].Step.Action, done[i].Step.Path, err)
				}
			}
			return a.finish()
		})
	})
}

// acknowledgement is one group.
type acknowledgement struct {
	*base.Edit
	cycle           int64
	first, last     int64 // history rows
	failures, temps bool  // there are some to forget
	seqs            []int64
	counts          CycleResult
}

func (a *acknowledgement) begin(at time.Time) error {
	err := a.Query("SELECT coalesce(max(id), 0), EXISTS (SELECT 1 FROM failure), EXISTS (SELECT 1 FROM temp) FROM history",
		func(row database.Row) error {
			a.first, a.last = row.ColumnInt64(0)+1, row.ColumnInt64(0)
			a.failures, a.temps = row.ColumnBool(1), row.ColumnBool(2)
			return nil
		})
	if err != nil {
		return err
	}
	if a.cycle, err = openCycle(a.Tx); err == nil && a.cycle == 0 {
		// Without a Begin: what an interrupted run had done is found out before the next plan.
		a.cycle, err = beginCycle(a.Tx, at)
	}
	return err
}

func (a *acknowledgement) add(d *Done) error {
	s := &d.Step
	if err := s.Validate(); err != nil {
		return err
	}
	before, err := a.fold(d)
	if err != nil {
		return err
	}
	if a.failures {
		if err := a.Prepare(deleteFailure).Text(s.Path).Run(); err != nil {
			return err
		}
	}
	if a.temps && s.Action == Send && s.How == Upload {
		if err := a.Prepare(deleteTemp).Text(s.Path).Run(); err != nil {
			return err
		}
	}
	if s.Seq != 0 {
		a.seqs = append(a.seqs, s.Seq)
	}
	a.count(d)
	a.last++
	return addHistory(a.Conn, &HistoryRow{
		ID: a.last, Cycle: a.cycle, At: d.At, Action: s.Action, How: s.How, Reason: s.Reason, Path: s.Path, From: s.From,
		Dir: s.Dir, Files: int64(s.Files), Before: before, After: d.Entry,
	})
}

// fold applies the outcome of a step to the base, and returns what the base held: at From of a move,
// at Path otherwise.
func (a *acknowledgement) fold(d *Done) (before *snapshot.Entry, err error) {
	s := &d.Step
	if s.Action == Move {
		return a.Move(s.From, s.Path, s.Dir, d.Entry)
	}
	if s.Old == nil && d.Entry != nil {
		// What was planned as new is new, nearly always: a first run is a million of these.
		if fresh, err := a.Add(s.Path, d.Entry); err != nil || fresh {
			return nil, err
		}
	}
	return a.Set(s.Path, d.Entry)
}

// count adds a step to those of the cycle.
func (a *acknowledgement) count(d *Done) {
	switch s, n := &d.Step, &a.counts; {
	case s.Action == Move:
		n.Moved++
	case s.Action == Delete && s.Dir:
	case s.Action == Delete:
		n.Deleted++
	case s.How == Copy:
		n.Copied++
	case s.How == Touch:
		n.Touched++
	default:
		n.Sent++
		if d.Entry != nil {
			n.UploadBytes += d.Entry.Size
		}
	}
}

// finish removes the steps and writes the sums of the group.
func (a *acknowledgement) finish() error {
	if err := removeSteps(a.Tx, a.seqs); err != nil {
		return err
	}
	n := &a.counts
	if err := a.Exec(`UPDATE cycle SET sent = sent + ?, copied = copied + ?, touched = touched + ?, moved = moved + ?,
		deleted = deleted + ?, upload_bytes = upload_bytes + ? WHERE id = ?`,
		n.Sent, n.Copied, n.Touched, n.Moved, n.Deleted, n.UploadBytes, a.cycle); err != nil {
		return err
	}
	return a.Exec("INSERT INTO outbox (first, last) VALUES (?, ?)", a.first, a.last)
}
