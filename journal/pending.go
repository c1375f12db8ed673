package journal

import (
	"iter"
	"time"

	"zombiezen.com/go/sqlite"
)

// selectSteps reads what columnStep decodes.
const selectSteps = "SELECT seq, action, how, reason, dir, held, files, path, from_path, old, new FROM step "

// Pending returns up to limit pending steps with a number above after, in order, held ones too.
func (j *Journal) Pending(after int64, limit int) (steps []Step, err error) {
	err = j.read("read pending steps", func(c *sqlite.Conn) error {
		s, err := prepare(c, selectSteps+"WHERE seq > ? ORDER BY seq LIMIT ?")
		if err != nil {
			return err
		}
		s.int(after)
		s.int(int64(limit))
		return s.each(func() error {
			step, err := columnStep(s.Stmt)
			if err != nil {
				return damaged("step %d: %w", s.ColumnInt64(0), err)
			}
			steps = append(steps, step)
			return nil
		})
	})
	return steps, err
}

// pendingPage is how many steps EachPending reads at once.
const pendingPage = 256

// EachPending yields what Pending returns, without a limit. It reads a page at a time, each as it was committed last. An
// error comes without a step, and is the last thing that is yielded.
func (j *Journal) EachPending(after int64) iter.Seq2[*Step, error] {
	return func(yield func(*Step, error) bool) {
		for {
			page, err := j.Pending(after, pendingPage)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			if len(page) < pendingPage {
				return
			}
			after = page[len(page)-1].Seq
		}
	}
}

// columnStep decodes and validates a step: nothing else reaches the remote.
func columnStep(s *sqlite.Stmt) (step Step, err error) {
	step = Step{
		Seq:    s.ColumnInt64(0),
		Action: Action(s.ColumnInt64(1)),
		How:    How(s.ColumnInt64(2)),
		Reason: Reason(s.ColumnInt64(3)),
		Dir:    s.ColumnBool(4),
		Held:   s.ColumnBool(5),
		Files:  s.ColumnInt32(6),
		Path:   s.ColumnText(7),
		From:   s.ColumnText(8),
	}
	if step.Old, err = columnEntry(s, 9); err != nil {
		return step, err
	}
	if step.New, err = columnEntry(s, 10); err != nil {
		return step, err
	}
	return step, step.Validate()
}

// Claim records that steps numbered up to upTo may be in flight. It must have returned before the
// first of them touches the remote. A lower number than before changes nothing. A crash right after
// makes Begin remember the names that their uploads would have used, although none may have started. A Record claims the first of
// a plan with the plan.
func (j *Journal) Claim(upTo int64) error {
	return j.write("claim steps", func(t *transaction) error {
		return query(t.Conn, "UPDATE counter SET claimed = ?1 WHERE claimed < ?1", nil, upTo)
	})
}

// claimFirst is Claim for so many of the first pending steps.
func (t *transaction) claimFirst(steps int) error {
	return query(t.Conn, `UPDATE counter SET claimed = (SELECT max(seq) FROM (SELECT seq FROM step ORDER BY seq LIMIT ?1))
		WHERE claimed < (SELECT max(seq) FROM (SELECT seq FROM step ORDER BY seq LIMIT ?1))`, nil, steps)
}

// Counts is what is waiting.
type Counts struct {
	Pending int64     // steps, without the held ones
	Held    int64     // steps that wait for a person
	Failed  int64     // paths
	Oldest  time.Time // when the oldest difference that is not yet on the remote was first seen; zero: none
}

// Counts returns what is waiting, at a cost that does not depend on how much it is.
func (j *Journal) Counts() (n Counts, err error) {
	err = j.read("count pending steps", func(c *sqlite.Conn) error {
		return query(c, `SELECT coalesce(sum(steps - held), 0), coalesce(sum(held), 0), coalesce(min(since), 0),
			(SELECT count(*) FROM failure) FROM backlog`, func(s *sqlite.Stmt) error {
			n = Counts{Pending: s.ColumnInt64(0), Held: s.ColumnInt64(1), Oldest: fromNanos(s.ColumnInt64(2)), Failed: s.ColumnInt64(3)}
			return nil
		})
	})
	return n, err
}

// nanos and fromNanos keep the zero time apart from 1970.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}
