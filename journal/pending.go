package journal

import (
	"iter"
	"time"

	"github.com/snapsync/snapsync/journal/database"
)

// pending reads the steps that are still to be done.
type pending struct{ db *database.DB }

// Pending returns up to limit pending steps with a number above after, in order, held ones too.
func (p *pending) Pending(after int64, limit int) (steps []Step, err error) {
	return p.read("read pending steps", "seq > ? ORDER BY seq LIMIT ?", after, limit)
}

// Started returns the steps that were claimed and not acknowledged, in order: after a crash nobody
// knows which of them happened. Begin would drop them, so their outcome is to be found out first.
func (p *pending) Started() (steps []Step, err error) {
	return p.read("read started steps", "seq <= (SELECT claimed FROM counter) AND held = 0 ORDER BY seq")
}

func (p *pending) read(op, where string, args ...any) (steps []Step, err error) {
	err = p.db.Read(op, func(c database.Conn) error {
		return c.Query("SELECT "+stepColumns+" FROM step WHERE "+where, func(row database.Row) error {
			step, err := columnStep(row)
			if err != nil {
				return database.Damaged("step %d: %w", row.ColumnInt64(0), err)
			}
			steps = append(steps, step)
			return nil
		}, args...)
	})
	return steps, err
}

const stepColumns = "seq, action, how, reason, dir, held, files, path, from_path, old, new"

// columnStep decodes stepColumns and validates the step: nothing else reaches the remote.
func columnStep(row database.Row) (step Step, err error) {
	step = Step{
		Seq:    row.ColumnInt64(0),
		Action: Action(row.ColumnInt64(1)),
		How:    How(row.ColumnInt64(2)),
		Reason: Reason(row.ColumnInt64(3)),
		Dir:    row.ColumnBool(4),
		Held:   row.ColumnBool(5),
		Files:  row.ColumnInt32(6),
		Path:   row.ColumnText(7),
		From:   row.ColumnText(8),
	}
	if step.Old, err = row.ColumnEntry(9); err != nil {
		return step, err
	}
	if step.New, err = row.ColumnEntry(10); err != nil {
		return step, err
	}
	return step, step.Validate()
}

// pendingPage is how many steps EachPending reads at once.
const pendingPage = 256

// EachPending yields what Pending returns, without a limit. It reads a page at a time, each as it was committed last. An
// error comes without a step, and is the last thing that is yielded.
func (p *pending) EachPending(after int64) iter.Seq2[*Step, error] {
	return func(yield func(*Step, error) bool) {
		for {
			page, err := p.Pending(after, pendingPage)
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

// Claim records that steps numbered up to upTo may be in flight. It must have returned before the
// first of them touches the remote. A lower number than before changes nothing. A crash right after
// makes Begin remember the names that their uploads would have used, although none may have started. A Record claims the first of
// a plan with the plan.
func (p *pending) Claim(upTo int64) error {
	return p.db.Write("claim steps", func(t *database.Tx) error {
		return t.Exec("UPDATE counter SET claimed = ?1 WHERE claimed < ?1", upTo)
	})
}

// Counts says how much is still to be done.
type Counts struct {
	Pending int64     // steps, without the held ones
	Held    int64     // steps that wait for a person
	Failed  int64     // paths
	Oldest  time.Time // when the oldest difference that is not yet on the remote was first seen; zero: none
}

// Counts counts what is still to be done, at a cost that does not depend on how much it is.
func (p *pending) Counts() (n Counts, err error) {
	err = p.db.Read("count pending steps", func(c database.Conn) error {
		return c.Query(`SELECT coalesce(sum(steps - held), 0), coalesce(sum(held), 0), coalesce(min(since), 0),
			(SELECT count(*) FROM failure) FROM backlog`, func(row database.Row) error {
			n = Counts{Pending: row.ColumnInt64(0), Held: row.ColumnInt64(1), Oldest: row.ColumnTime(2), Failed: row.ColumnInt64(3)}
			return nil
		})
	})
	return n, err
}
