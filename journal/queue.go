package journal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/snapsync/snapsync/journal/database"
)

// The steps that are pending are in the table step. The table backlog has its sums by the time since when they wait, so that
// Counts need not read the steps: whoever changes one changes the other.

// backlog counts steps by the time since when they wait.
type backlog map[int64]waiting

// waiting are how many steps wait, or how many more.
type waiting struct{ steps, held int64 }

func (b backlog) add(since, steps, held int64) {
	w := b[since]
	b[since] = waiting{w.steps + steps, w.held + held}
}

// apply adds b to the table.
func (b backlog) apply(t *database.Tx) error {
	if len(b) == 0 {
		return nil
	}
	for _, since := range slices.Sorted(maps.Keys(b)) {
		if err := t.Exec(`INSERT INTO backlog (since, steps, held) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET steps = steps + excluded.steps, held = held + excluded.held`,
			since, b[since].steps, b[since].held); err != nil {
			return err
		}
	}
	return t.Exec("DELETE FROM backlog WHERE steps = 0")
}

// addSteps numbers steps and adds them to what is pending, each with the time since when it waits.
func addSteps(t *database.Tx, steps []Step, since func(*Step) int64) error {
	if len(steps) == 0 {
		return nil
	}
	last, err := t.Int("SELECT last_seq FROM counter")
	if err != nil {
		return err
	}
	sums := make(backlog)
	for i := range steps {
		s := &steps[i]
		s.Seq = last + int64(i) + 1
		at := since(s)
		var held int64
		if s.Held {
			held = 1
		}
		sums.add(at, 1, held)
		if err := t.Prepare("INSERT INTO step (since, " + stepColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").
			Int(at).Int(s.Seq).Int(int64(s.Action)).Int(int64(s.How)).Int(int64(s.Reason)).Bool(s.Dir).Bool(s.Held).
			Int(int64(s.Files)).Text(s.Path).Name(s.From).Entry(s.Old).Entry(s.New).Run(); err != nil {
			return err
		}
	}
	if err := sums.apply(t); err != nil {
		return err
	}
	return t.Exec("UPDATE counter SET last_seq = ?", last+int64(len(steps)))
}

// replaceSteps takes all pending steps for others. A path that was pending already has been waiting since then.
func replaceSteps(t *database.Tx, steps []Step, at time.Time) error {
	waited, err := waitingSince(t)
	if err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM step", "DELETE FROM backlog"} {
		if err := t.Exec(q); err != nil {
			return err
		}
	}
	return addSteps(t, steps, func(s *Step) int64 { return waited.of(s.Path, at) })
}

// exchangeSteps takes the steps numbered in drop for others. A path among both has been waiting since then.
func exchangeSteps(t *database.Tx, drop []int64, steps []Step, at time.Time) error {
	waited, sums := make(map[string]int64, len(drop)), make(backlog)
	for _, seq := range drop {
		if err := t.Query("DELETE FROM step WHERE seq = ? RETURNING path, since, held", func(row database.Row) error {
			since := row.ColumnInt64(1)
			waited[row.ColumnText(0)] = since
			sums.add(since, -1, -row.ColumnInt64(2))
			return nil
		}, seq); err != nil {
			return err
		}
	}
	if err := sums.apply(t); err != nil {
		return err
	}
	return addSteps(t, steps, func(s *Step) int64 {
		if since, was := waited[s.Path]; was {
			return since
		}
		return at.UnixNano()
	})
}

// removeSteps deletes the steps with these numbers, runs of consecutive ones at once. All must be pending.
func removeSteps(t *database.Tx, seqs []int64) error {
	if len(seqs) == 0 {
		return nil
	}
	slices.Sort(seqs)
	sums := make(backlog)
	for len(seqs) > 0 {
		n := 1
		for n < len(seqs) && seqs[n] == seqs[0]+int64(n) {
			n++
		}
		if err := removeRun(t, seqs[0], seqs[n-1], sums); err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return sums.apply(t)
}

func removeRun(t *database.Tx, first, last int64, sums backlog) error {
	left := last - first + 1
	if err := t.Prepare("SELECT since, sum(held), count(*) FROM step WHERE seq BETWEEN ? AND ? GROUP BY since").Int(first).Int(last).
		Each(func(row database.Row) error {
			left -= row.ColumnInt64(2)
			sums.add(row.ColumnInt64(0), -row.ColumnInt64(2), -row.ColumnInt64(1))
			return nil
		}); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d of the steps %d to %d are not pending", left, first, last)
	}
	return t.Exec("DELETE FROM step WHERE seq BETWEEN ? AND ?", first, last)
}

// sinces are the times since when paths have been waiting, in 16 bytes for each, sorted: a plan can have a million. Two
// paths with the same hash share the earlier time, which only a lag in status shows.
type sinces []sinceOf

type sinceOf struct {
	path uint64 // hash
	at   int64
}

func waitingSince(t *database.Tx) (all sinces, err error) {
	name := make([]byte, 4096)
	err = t.Prepare("SELECT path, since FROM step").Each(func(row database.Row) error {
		if n := row.ColumnLen(0); n > len(name) {
			name = make([]byte, n)
		}
		n := row.ColumnBytes(0, name)
		all = append(all, sinceOf{xxh3.Hash(name[:n]), row.ColumnInt64(1)})
		return nil
	})
	slices.SortFunc(all, func(a, b sinceOf) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.at, b.at)) })
	return all, err
}

// of returns since when path has been waiting: now if it has not.
func (w sinces) of(path string, now time.Time) int64 {
	if len(w) > 0 {
		i, found := slices.BinarySearchFunc(w, xxh3.HashString(path), func(s sinceOf, hash uint64) int { return cmp.Compare(s.path, hash) })
		if found {
			return w[i].at
		}
	}
	return now.UnixNano()
}
