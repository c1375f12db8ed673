package journal

import (
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// Amend changes what is pending where a cycle has looked, and leaves the rest: the steps numbered in
// drop go, p.Steps are added after all that stay, and the base learns p.Refresh. looked says which
// paths the cycle has looked at: a failure there that is not planned again is forgotten. It numbers
// p.Steps like Begin, and like there it keeps since when a path has been waiting, and the names of
// uploads that may have been in flight. All of it is one transaction, in which r is remembered as well; nil: nothing is.
//
// The caller sees to it that no step that stays has a path in common with a new one. The cycle is 0 if
// nothing is pending afterwards. One that this process has begun and not finished ends as continued. A crash
// right after leaves steps that nobody started.
func (j *Journal) Amend(p Plan, r *Record, drop []int64, looked func(path string) bool, at time.Time) (cycle int64, err error) {
	for i := range p.Steps {
		if err := p.Steps[i].Validate(); err != nil {
			return 0, fmt.Errorf("amend: %w", err)
		}
	}
	if len(p.Steps)+len(p.Refresh)+len(drop) == 0 {
		switch idle, err := j.idle(); {
		case err != nil:
			return 0, err
		case idle:
			return 0, j.Remember(r, at)
		}
	}
	err = j.write("amend", func(t *transaction) error {
		if err := t.dropContents(len(p.Steps) + len(p.Refresh)); err != nil {
			return err
		}
		was := OutcomeInterrupted
		if j.cycle != 0 {
			was = OutcomeContinued
		}
		if err := t.closeOpen(was); err != nil {
			return err
		}
		if err := t.refresh(p.Refresh); err != nil {
			return err
		}
		if err := t.exchange(p.Steps, drop, looked, at); err != nil {
			return err
		}
		j.cycle = 0
		left, err := queryInt(t.Conn, "SELECT EXISTS (SELECT 1 FROM step)")
		if err != nil {
			return err
		}
		if left != 0 {
			if cycle, err = t.beginCycle(at); err != nil {
				return err
			}
		}
		return t.remember(r, at)
	})
	return cycle, err
}

// exchange takes the steps numbered in drop for others.
func (t *transaction) exchange(steps []Step, drop []int64, looked func(string) bool, at time.Time) error {
	if err := t.rememberTemps(at); err != nil {
		return err
	}
	waited := make(map[string]int64, len(drop))
	for _, seq := range drop {
		if err := t.dropStep(seq, waited); err != nil {
			return err
		}
	}
	failed, err := t.failedPaths()
	if err != nil {
		return err
	}
	for path := range failed {
		if !looked(path) {
			delete(failed, path)
		}
	}
	err = t.addSteps(steps, func(s *Step) int64 {
		delete(failed, s.Path)
		if first, was := waited[s.Path]; was {
			return first
		}
		return at.UnixNano()
	})
	if err != nil {
		return err
	}
	return t.dropFailures(failed)
}

// dropStep removes a pending step and notes since when its path has been waiting.
func (t *transaction) dropStep(seq int64, waited map[string]int64) error {
	var since int64
	var held bool
	found := false
	err := query(t.Conn, "SELECT path, since, held FROM step WHERE seq = ?", func(s *sqlite.Stmt) error {
		since, held, found = s.ColumnInt64(1), s.ColumnBool(2), true
		waited[s.ColumnText(0)] = since
		return nil
	}, seq)
	if err != nil || !found {
		return err
	}
	w := waiting{steps: -1}
	if held {
		w.held = -1
	}
	t.wait(since, w)
	return query(t.Conn, "DELETE FROM step WHERE seq = ?", nil, seq)
}
