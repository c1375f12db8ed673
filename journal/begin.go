package journal

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/zeebo/xxh3"
	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// Begin opens a cycle: the base learns p.Refresh, and p.Steps replace everything that was pending, so
// that what was planned and never started is squashed. It numbers the steps, in p.Steps as well, above
// every number that was used before. All of it is one transaction, in which r is remembered as well; nil: nothing is.
//
// What outlives the old steps: since when a path has been waiting; failures of paths that are planned
// again; and the names of uploads that may have been in flight, as Temps.
//
// The cycle is 0 if there are no steps. Then, if nothing was pending and there is nothing to refresh,
// nothing is written but what differs of r. A crash right after leaves steps that nobody started, and whose source, mounts and
// holds are remembered: the next cycle plans again, once it has looked at those that r claims.
func (j *Journal) Begin(p Plan, r *Record, at time.Time) (cycle int64, err error) {
	for i := range p.Steps {
		if err := p.Steps[i].Validate(); err != nil {
			return 0, fmt.Errorf("begin: %w", err)
		}
	}
	if len(p.Steps) == 0 && len(p.Refresh) == 0 {
		switch idle, err := j.idle(); {
		case err != nil:
			return 0, err
		case idle:
			return 0, j.Remember(r, at)
		}
	}
	err = j.write("begin", func(t *transaction) error {
		if err := t.dropContents(len(p.Steps) + len(p.Refresh)); err != nil {
			return err
		}
		if err := t.closeOpen(OutcomeInterrupted); err != nil {
			return err
		}
		if err := t.refresh(p.Refresh); err != nil {
			return err
		}
		if err := t.replaceSteps(p.Steps, at); err != nil {
			return err
		}
		if j.cycle = 0; len(p.Steps) > 0 {
			if cycle, err = t.beginCycle(at); err != nil {
				return err
			}
		}
		return t.remember(r, at)
	})
	return cycle, err
}

// Extend adds a further part of a plan to what is pending: on a first run a plan comes in parts, as
// the source is scanned. It returns the cycle, which it opens if Begin had no reason to. r is remembered in the same
// transaction; nil: nothing is. A crash right after leaves part of a plan, of steps that nobody started.
func (j *Journal) Extend(p Plan, r *Record, at time.Time) (cycle int64, err error) {
	for i := range p.Steps {
		if err := p.Steps[i].Validate(); err != nil {
			return 0, fmt.Errorf("extend: %w", err)
		}
	}
	err = j.write("extend", func(t *transaction) error {
		if err := t.dropContents(len(p.Steps) + len(p.Refresh)); err != nil {
			return err
		}
		if err := t.refresh(p.Refresh); err != nil {
			return err
		}
		if err := t.addSteps(p.Steps, func(*Step) int64 { return at.UnixNano() }); err != nil {
			return err
		}
		if cycle = j.cycle; cycle == 0 && len(p.Steps) > 0 {
			if cycle, err = t.beginCycle(at); err != nil {
				return err
			}
		}
		return t.remember(r, at)
	})
	return cycle, err
}

// idle reports whether nothing is pending and nothing is left of what was.
func (j *Journal) idle() (idle bool, err error) {
	err = j.read("begin", func(c *sqlite.Conn) error {
		n, err := queryInt(c, `SELECT EXISTS (SELECT 1 FROM step) OR EXISTS (SELECT 1 FROM failure)
			OR coalesce((SELECT ended = 0 FROM cycle ORDER BY id DESC LIMIT 1), 0)`)
		idle = n == 0
		return err
	})
	return idle, err
}

// refresh folds what needs no action. Removals come last and from the leaves up, so that a directory
// that goes with everything in it leaves nothing, in whatever order they are given.
func (t *transaction) refresh(changes []Refresh) error {
	var gone []string
	for i := range changes {
		r := &changes[i]
		if r.Entry == nil {
			gone = append(gone, r.Path)
			continue
		}
		if err := t.put(r.Path, r.Entry); err != nil {
			return err
		}
	}
	slices.SortFunc(gone, func(a, b string) int { return snapshot.ComparePaths(b, a) })
	for _, path := range gone {
		if err := t.remove(path); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) replaceSteps(steps []Step, at time.Time) error {
	since, err := t.waitingSince()
	if err != nil {
		return err
	}
	failed, err := t.failedPaths()
	if err != nil {
		return err
	}
	if err := t.rememberTemps(at); err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM step", "DELETE FROM backlog"} {
		if err := query(t.Conn, q, nil); err != nil {
			return err
		}
	}
	err = t.addSteps(steps, func(s *Step) int64 {
		if len(failed) > 0 {
			delete(failed, s.Path)
		}
		if first, waited := since.of(s.Path); waited {
			return first
		}
		return at.UnixNano()
	})
	if err != nil {
		return err
	}
	return t.dropFailures(failed)
}

// addSteps numbers steps and adds them to what is pending, each with the time since when it waits.
func (t *transaction) addSteps(steps []Step, since func(*Step) int64) error {
	if len(steps) == 0 {
		return nil
	}
	last, err := queryInt(t.Conn, "SELECT last_seq FROM counter")
	if err != nil {
		return err
	}
	for i := range steps {
		s := &steps[i]
		s.Seq = last + int64(i) + 1
		if err := t.insertStep(s, since(s)); err != nil {
			return err
		}
	}
	return query(t.Conn, "UPDATE counter SET last_seq = ?", nil, last+int64(len(steps)))
}

func (t *transaction) insertStep(s *Step, since int64) error {
	q, err := prepare(t.Conn, `INSERT INTO step (seq, action, how, reason, dir, held, files, since, path, from_path, old, new)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	q.int(s.Seq)
	q.int(int64(s.Action))
	q.int(int64(s.How))
	q.int(int64(s.Reason))
	q.bool(s.Dir)
	q.bool(s.Held)
	q.int(int64(s.Files))
	q.int(since)
	q.text(s.Path)
	q.name(s.From)
	q.blob(t.row.pack(s.Old))
	q.blob(t.row.pack(s.New))
	w := waiting{steps: 1}
	if s.Held {
		w.held = 1
	}
	t.wait(since, w)
	return q.run()
}

// sinces remembers since when paths were waiting in 16 bytes for each: a plan can have a million. Two
// paths with the same hash share the earlier time, which only a lag in status shows.
type sinces []struct {
	path uint64 // hash
	at   int64
}

func (t *transaction) waitingSince() (sinces, error) {
	s, err := prepare(t.Conn, "SELECT path, since FROM step")
	if err != nil {
		return nil, err
	}
	var all sinces
	name := make([]byte, 4096)
	err = s.each(func() error {
		if n := s.ColumnLen(0); n > len(name) {
			name = make([]byte, n)
		}
		n := s.ColumnBytes(0, name)
		all = append(all, struct {
			path uint64
			at   int64
		}{xxh3.Hash(name[:n]), s.ColumnInt64(1)})
		return nil
	})
	slices.SortFunc(all, func(a, b struct {
		path uint64
		at   int64
	}) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.at, b.at))
	})
	return all, err
}

func (w sinces) of(path string) (at int64, found bool) {
	if len(w) == 0 {
		return 0, false
	}
	hash := xxh3.HashString(path)
	i, found := slices.BinarySearchFunc(w, hash, func(e struct {
		path uint64
		at   int64
	}, h uint64) int {
		return cmp.Compare(e.path, h)
	})
	if !found {
		return 0, false
	}
	return w[i].at, true
}
