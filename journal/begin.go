package journal

import (
	"fmt"
	"time"

	"github.com/snapsync/snapsync/journal/database"
)

// Begin opens a cycle: the base learns p.Refresh, and p.Steps replace everything that was pending, so
// that what was planned and never started is squashed. Begin numbers the steps, in p.Steps as well, above
// every number that was used before. All of it is one transaction, in which r is remembered as well; nil: nothing is.
//
// What outlives the old steps: since when a path has been waiting; failures of paths that are planned
// again; and the names of uploads that may have been in flight, as Temps.
//
// The cycle is 0 if there are no steps. Then, if nothing was pending and there is nothing to refresh,
// nothing is written but what differs of r. A crash right after leaves steps that nobody started, and whose source, mounts and
// holds are remembered: the next cycle plans again, once it has looked at those that r claims.
func (j *Journal) Begin(p Plan, r *Record, at time.Time) (cycle int64, err error) {
	return j.change("begin", p, r, at, func(t *database.Tx) (int64, error) {
		if err := closeOpen(t, OutcomeInterrupted); err != nil {
			return 0, err
		}
		if err := rememberTemps(t, at); err != nil {
			return 0, err
		}
		if err := replaceSteps(t, p.Steps, at); err != nil {
			return 0, err
		}
		if err := forgetFailures(t, p.Steps, func(string) bool { return true }); err != nil || len(p.Steps) == 0 {
			return 0, err
		}
		return beginCycle(t, at)
	})
}

// Extend adds a further part of a plan to what is pending: on a first run a plan comes in parts, as
// the source is scanned. It returns the cycle, which it opens if Begin had no reason to. r is remembered in the same
// transaction; nil: nothing is. A crash right after leaves part of a plan, of steps that nobody started.
func (j *Journal) Extend(p Plan, r *Record, at time.Time) (cycle int64, err error) {
	return j.change("extend", p, r, at, func(t *database.Tx) (int64, error) {
		if err := addSteps(t, p.Steps, func(*Step) int64 { return at.UnixNano() }); err != nil {
			return 0, err
		}
		open, err := openCycle(t)
		if err != nil || open != 0 || len(p.Steps) == 0 {
			return open, err
		}
		return beginCycle(t, at)
	})
}

// Amend changes what is pending where a cycle has looked, and leaves the rest: the steps numbered in
// drop go, p.Steps are added after all that stay, and the base learns p.Refresh. looked says which
// paths the cycle has looked at: a failure there that is not planned again is forgotten. Amend numbers
// p.Steps like Begin, and like there it keeps since when a path has been waiting, and the names of
// uploads that may have been in flight. All of it is one transaction, in which r is remembered as well; nil: nothing is.
//
// The caller sees to it that no step that stays has a path in common with a new one. The cycle is 0 if
// nothing is pending afterwards. An open one ends as continued. A crash
// right after leaves steps that nobody started.
func (j *Journal) Amend(p Plan, r *Record, drop []int64, looked func(path string) bool, at time.Time) (cycle int64, err error) {
	return j.change("amend", p, r, at, func(t *database.Tx) (int64, error) {
		if err := closeOpen(t, OutcomeContinued); err != nil {
			return 0, err
		}
		if err := rememberTemps(t, at); err != nil {
			return 0, err
		}
		if err := exchangeSteps(t, drop, p.Steps, at); err != nil {
			return 0, err
		}
		if err := forgetFailures(t, p.Steps, looked); err != nil {
			return 0, err
		}
		left, err := t.Int("SELECT EXISTS (SELECT 1 FROM step)")
		if err != nil || left == 0 {
			return 0, err
		}
		return beginCycle(t, at)
	})
}

// change is one transaction: the base learns p.Refresh, fn changes what is pending, and r is remembered. If nothing is planned or
// pending and no cycle is open, only the last is done.
func (j *Journal) change(op string, p Plan, r *Record, at time.Time, fn func(*database.Tx) (int64, error)) (cycle int64, err error) {
	for i := range p.Steps {
		if err := p.Steps[i].Validate(); err != nil {
			return 0, fmt.Errorf("%s: %w", op, err)
		}
	}
	if len(p.Steps)+len(p.Refresh) == 0 {
		switch idle, err := j.idle(op); {
		case err != nil:
			return 0, err
		case idle:
			return 0, j.Remember(r, at)
		}
	}
	err = j.db.Write(op, func(t *database.Tx) error {
		if err := j.learn(t, len(p.Steps)+len(p.Refresh), p.Refresh); err != nil {
			return err
		}
		if cycle, err = fn(t); err != nil {
			return err
		}
		return r.remember(t, at)
	})
	return cycle, err
}

// idle reports whether nothing is pending and nothing is left of what was.
func (j *Journal) idle(op string) (idle bool, err error) {
	err = j.db.Read(op, func(c database.Conn) error {
		n, err := c.Int(`SELECT EXISTS (SELECT 1 FROM step) OR EXISTS (SELECT 1 FROM failure)
			OR coalesce((SELECT ended = 0 FROM cycle ORDER BY id DESC LIMIT 1), 0)`)
		idle = n == 0
		return err
	})
	return idle, err
}

// Finish ends a cycle; 0: there is none. Of result only Failed, Held and Outcome are used: the rest was counted as it was
// acknowledged, so that a crash cannot lose it. A cycle in which nothing was acknowledged leaves no
// row. r is remembered in the same transaction; nil: nothing is. A crash right before leaves an open cycle, which the next
// Begin closes, and with it all that was claimed in doubt; one right after leaves nothing to do.
// Then history beyond the retention is removed; a crash before that leaves it to the next Finish.
func (j *Journal) Finish(cycle int64, result CycleResult, r *Record, at time.Time) error {
	err := j.db.Write("finish", func(t *database.Tx) error {
		if cycle != 0 {
			if err := endCycle(t, cycle, at, &result); err != nil {
				return err
			}
		}
		return r.remember(t, at)
	})
	if err != nil {
		return err
	}
	return j.prune(at)
}
