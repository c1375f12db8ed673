package journal

import (
	"fmt"
	"slices"
	"time"

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
	return j.write("acknowledge steps", func(t *transaction) error {
		a, err := t.acknowledgement(done[0].At)
		if err != nil {
			return err
		}
		for i := range done {
			if err := a.add(&done[i]); err != nil {
				return fmt.Errorf("%v %q: %w", done[i].Step.Action, done[i].Step.Path, err)
			}
		}
		return a.finish(done)
	})
}

// acknowledgement is one group.
type acknowledgement struct {
	*transaction
	first, last     int64 // history rows
	failures, temps bool  // there are some to forget
	counts          CycleResult
}

func (t *transaction) acknowledgement(at time.Time) (*acknowledgement, error) {
	if t.j.cycle == 0 {
		// Without a Begin: what an interrupted run had done is found out before the next plan.
		if _, err := t.beginCycle(at); err != nil {
			return nil, err
		}
	}
	a := &acknowledgement{transaction: t}
	last, err := queryInt(t.Conn, "SELECT coalesce(max(id), 0) FROM history")
	if err != nil {
		return nil, err
	}
	a.first, a.last = last+1, last
	failures, err := queryInt(t.Conn, "SELECT EXISTS (SELECT 1 FROM failure)")
	if err != nil {
		return nil, err
	}
	temps, err := queryInt(t.Conn, "SELECT EXISTS (SELECT 1 FROM temp)")
	a.failures, a.temps = failures != 0, temps != 0
	return a, err
}

func (a *acknowledgement) add(d *Done) error {
	if err := d.Step.Validate(); err != nil {
		return err
	}
	before, err := a.fold(d)
	if err != nil {
		return err
	}
	if err := a.forget(d); err != nil {
		return err
	}
	a.counts.add(d)
	a.last++
	return a.record(a.last, a.j.cycle, d, before)
}

// fold applies the outcome of a step to the base, and returns what the base held: at From of a move,
// at Path otherwise.
func (t *transaction) fold(d *Done) (before *snapshot.Entry, err error) {
	s := &d.Step
	if s.Action == Move {
		return t.foldMove(d)
	}
	if s.Old == nil && d.Entry != nil {
		// What was planned as new is new, nearly always: a first run is a million of these.
		if fresh, err := t.insert(s.Path, d.Entry); err != nil || fresh {
			return nil, err
		}
	}
	if before, err = t.lookup(s.Path); err != nil {
		return nil, err
	}
	return before, t.replace(s.Path, before, d.Entry)
}

func (t *transaction) foldMove(d *Done) (before *snapshot.Entry, err error) {
	s := &d.Step
	if before, err = t.lookup(s.From); err != nil {
		return nil, err
	}
	if s.Dir {
		if err := t.rekey(s.From, s.Path); err != nil {
			return nil, err
		}
	}
	if err := t.remove(s.From); err != nil {
		return nil, err
	}
	if d.Entry == nil {
		return before, t.remove(s.Path)
	}
	return before, t.put(s.Path, d.Entry)
}

// forget drops what is remembered about a path that is now true.
func (a *acknowledgement) forget(d *Done) error {
	if a.failures {
		if err := a.dropPath("DELETE FROM failure WHERE path = ?", d.Step.Path); err != nil {
			return err
		}
	}
	if a.temps && d.Step.Action == Send && d.Step.How == Upload {
		return a.dropPath("DELETE FROM temp WHERE path = ?", d.Step.Path)
	}
	return nil
}

func (t *transaction) dropPath(text, path string) error {
	s, err := prepare(t.Conn, text)
	if err != nil {
		return err
	}
	s.text(path)
	return s.run()
}

// finish removes the steps and writes the sums of the group.
func (a *acknowledgement) finish(done []Done) error {
	if err := a.removeSteps(done); err != nil {
		return err
	}
	if err := a.countCycle(&a.counts); err != nil {
		return err
	}
	return query(a.Conn, "INSERT INTO outbox (first, last) VALUES (?, ?)", nil, a.first, a.last)
}

// removeSteps deletes the acknowledged steps, runs of consecutive numbers at once.
func (t *transaction) removeSteps(done []Done) error {
	seqs := make([]int64, 0, len(done))
	for i := range done {
		if seq := done[i].Step.Seq; seq != 0 {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	for len(seqs) > 0 {
		n := 1
		for n < len(seqs) && seqs[n] == seqs[0]+int64(n) {
			n++
		}
		if err := t.removeRun(seqs[0], int64(n)); err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

func (t *transaction) removeRun(first, n int64) error {
	s, err := prepare(t.Conn, "SELECT since, sum(held), count(*) FROM step WHERE seq BETWEEN ? AND ? GROUP BY since")
	if err != nil {
		return err
	}
	s.int(first)
	s.int(first + n - 1)
	left := n
	if err := s.each(func() error {
		left -= s.ColumnInt64(2)
		t.wait(s.ColumnInt64(0), waiting{steps: -s.ColumnInt64(2), held: -s.ColumnInt64(1)})
		return nil
	}); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d of the steps %d to %d are not pending", left, first, first+n-1)
	}
	return query(t.Conn, "DELETE FROM step WHERE seq BETWEEN ? AND ?", nil, first, first+n-1)
}
