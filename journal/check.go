package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/snapsync/snapsync/snapshot"
)

// maxViolations bounds what Check reports of each kind: the first few say enough.
const maxViolations = 20

// Check verifies everything that must hold, offline and without writing: SQLite's own structure, and
// that base, steps, sums, history, outbox, uploads and claims agree, and that each document can be read. It returns a sentence for each violation
// and none for a sound journal. It reads everything and sees one state.
func (j *Journal) Check(ctx context.Context) ([]string, error) {
	var ck checker
	err := j.read("check", func(c *sqlite.Conn) error {
		ck.Conn, ck.ctx = c, ctx
		if err := query(c, "BEGIN", nil); err != nil {
			return err
		}
		defer rollback(c)
		for _, check := range []func() error{
			ck.structure, ck.steps, ck.base, ck.parents, ck.history, ck.outbox, ck.failures, ck.uploads, ck.documents,
		} {
			if err := check(); err != nil && !ck.finds(err) {
				return err
			}
		}
		return ctx.Err()
	})
	return ck.found, err
}

// checker is one run of Check.
type checker struct {
	*sqlite.Conn
	ctx   context.Context
	found []string

	planned map[string]bool // paths that a pending step will change: some rules are suspended there
}

func (ck *checker) report(kind *int, format string, args ...any) {
	if *kind++; *kind <= maxViolations {
		ck.found = append(ck.found, fmt.Sprintf(format, args...))
	}
}

// finds turns an error that damage causes into a sentence.
func (ck *checker) finds(err error) bool {
	if !errors.Is(classify(err), ErrDamaged) {
		return false
	}
	ck.found = append(ck.found, err.Error()+".")
	return true
}

// structure asks SQLite.
func (ck *checker) structure() error {
	var n int
	if err := query(ck.Conn, fmt.Sprintf("PRAGMA integrity_check(%d)", maxViolations), func(s *sqlite.Stmt) error {
		if text := s.ColumnText(0); text != "ok" {
			ck.report(&n, "The file's structure is damaged: %s.", strings.TrimSuffix(text, "."))
		}
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	return query(ck.Conn, "PRAGMA foreign_key_check", func(s *sqlite.Stmt) error {
		ck.report(&n, "A row of %s refers to a row of %s that does not exist.", s.ColumnText(0), s.ColumnText(2))
		return nil
	})
}

// steps checks that each step is possible, and that numbers and sums agree.
func (ck *checker) steps() error {
	var n int
	var last, claimed int64
	if err := query(ck.Conn, "SELECT last_seq, claimed FROM counter", func(s *sqlite.Stmt) error {
		last, claimed = s.ColumnInt64(0), s.ColumnInt64(1)
		return nil
	}); err != nil {
		return err
	}
	if claimed > last {
		ck.report(&n, "Steps up to %d are claimed, but the last one has the number %d.", claimed, last)
	}
	ck.planned = make(map[string]bool)
	sums := make(map[int64]waiting)
	if err := query(ck.Conn, `SELECT seq, action, how, reason, dir, held, files, path, from_path, old, new, since
		FROM step ORDER BY seq`, func(s *sqlite.Stmt) error {
		step, err := columnStep(s)
		if err != nil {
			ck.report(&n, "Step %d is impossible: %v.", s.ColumnInt64(0), err)
		}
		if err := errors.Join(checkPath(step.Path), checkFrom(&step)); err != nil {
			ck.report(&n, "Step %d is impossible: %v.", step.Seq, err)
		}
		if step.Seq < 1 || step.Seq > last {
			ck.report(&n, "Step %d has a number above the last one, %d.", step.Seq, last)
		}
		ck.plan(&step)
		w := sums[s.ColumnInt64(11)]
		w.steps++
		if step.Held {
			w.held++
		}
		sums[s.ColumnInt64(11)] = w
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	return ck.backlog(&n, sums)
}

func checkFrom(s *Step) error {
	if s.From == "" {
		return nil
	}
	return checkPath(s.From)
}

// plan remembers what a step is about where a rule depends on it: what a file in the place of a
// directory, or a temporary name, is waiting for.
func (ck *checker) plan(s *Step) {
	if s.Old != nil && s.Old.Kind != snapshot.Dir || isTemporary(s.Path) {
		ck.planned[s.Path] = true
	}
	if s.From != "" {
		ck.planned[s.From] = true
	}
}

func (ck *checker) backlog(n *int, sums map[int64]waiting) error {
	if err := query(ck.Conn, "SELECT since, steps, held FROM backlog ORDER BY since", func(s *sqlite.Stmt) error {
		since := s.ColumnInt64(0)
		if got, want := (waiting{s.ColumnInt64(1), s.ColumnInt64(2)}), sums[since]; got != want {
			ck.report(n, "The backlog counts %d steps, %d of them held, since %v, but there are %d and %d.",
				got.steps, got.held, fromNanos(since).UTC(), want.steps, want.held)
		}
		delete(sums, since)
		return nil
	}); err != nil {
		return err
	}
	for _, since := range slices.Sorted(maps.Keys(sums)) {
		ck.report(n, "The backlog misses %d steps that wait since %v.", sums[since].steps, fromNanos(since).UTC())
	}
	return nil
}

// base checks every row on its own, and the totals.
func (ck *checker) base() error {
	var n int
	var sum Totals
	s, err := prepare(ck.Conn, "SELECT dir, name, entry FROM base ORDER BY dir, name")
	if err != nil {
		return err
	}
	if err := s.each(func() error {
		path := snapshot.Join(s.ColumnText(0), s.ColumnText(1))
		if err := checkPath(path); err != nil || strings.Contains(s.ColumnText(1), "/") {
			ck.report(&n, "The base has an impossible path, directory %q and name %q.", s.ColumnText(0), s.ColumnText(1))
		}
		e, err := columnEntry(s.Stmt, 2)
		if err != nil {
			ck.report(&n, "The base of %q is impossible: %v.", path, err)
			return nil
		}
		sum.count(e, 1)
		if isTemporary(s.ColumnText(1)) && !ck.planned[path] && !e.Flags.Has(snapshot.Retained) {
			ck.report(&n, "The base has the temporary name %q, which no pending step removes.", path)
		}
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	got, err := readTotals(ck.Conn)
	if err == nil && got != sum {
		ck.report(&n, "The totals of the base are kept as %+v, but are %+v.", got, sum)
	}
	return err
}

// parents checks that everything in the base lies in a directory of the base.
func (ck *checker) parents() error {
	var n int
	return query(ck.Conn, "SELECT DISTINCT dir FROM base WHERE dir <> '' ORDER BY dir", func(s *sqlite.Stmt) error {
		path := s.ColumnText(0)
		dir, name := snapshot.Split(path)
		kind, err := queryInt(ck.Conn, `SELECT coalesce((SELECT unicode(CAST(substr(entry, 2, 1) AS TEXT))
			FROM base WHERE dir = ? AND name = ?), 0)`, dir, name)
		switch {
		case err != nil:
			return err
		case kind == 0:
			ck.report(&n, "The base holds something in %q, but not %q itself.", path, path)
		case kind != int64(snapshot.Dir) && !ck.planned[path]:
			ck.report(&n, "The base holds something in %q, which is a %v.", path, snapshot.Kind(kind))
		}
		return ck.ctx.Err()
	})
}

// history checks that rows can be decoded and belong to a cycle, and that the cycles are in order.
func (ck *checker) history() error {
	var n int
	if err := query(ck.Conn, "SELECT "+historyColumns+" FROM history ORDER BY id", func(s *sqlite.Stmt) error {
		if _, err := columnHistory(s); err != nil {
			ck.report(&n, "Row %d of the history is impossible: %v.", s.ColumnInt64(0), err)
		}
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	if err := query(ck.Conn, `SELECT DISTINCT cycle FROM history WHERE NOT EXISTS (SELECT 1 FROM cycle c
		WHERE c.id = history.cycle AND c.first_history <= history.id)`, func(s *sqlite.Stmt) error {
		ck.report(&n, "The history has rows of cycle %d, which does not exist or starts later.", s.ColumnInt64(0))
		return nil
	}); err != nil {
		return err
	}
	return query(ck.Conn, `SELECT a.id FROM cycle a WHERE a.ended = 0 AND a.id < (SELECT max(id) FROM cycle)
		ORDER BY a.id`, func(s *sqlite.Stmt) error {
		ck.report(&n, "Cycle %d has not ended, but a later one has begun.", s.ColumnInt64(0))
		return nil
	})
}

// outbox checks that its ranges exist and do not overlap.
func (ck *checker) outbox() error {
	var n int
	var end int64
	return query(ck.Conn, `SELECT first, last, EXISTS (SELECT 1 FROM history WHERE id = first) AND
		EXISTS (SELECT 1 FROM history WHERE id = last) FROM outbox ORDER BY first`, func(s *sqlite.Stmt) error {
		first, last := s.ColumnInt64(0), s.ColumnInt64(1)
		if first > last || first <= end {
			ck.report(&n, "The outbox range %d to %d is empty or overlaps the one before it.", first, last)
		}
		if !s.ColumnBool(2) {
			ck.report(&n, "The outbox range %d to %d is not in the history.", first, last)
		}
		end = last
		return nil
	})
}

func (ck *checker) failures() error {
	var n int
	return query(ck.Conn, "SELECT path FROM failure WHERE tries < 1 OR last < first ORDER BY path", func(s *sqlite.Stmt) error {
		ck.report(&n, "The failure of %q has no tries, or ends before it begins.", s.ColumnText(0))
		return nil
	})
}

// uploads checks that each unfinished upload is possible, and that its parts are parts of its source.
func (ck *checker) uploads() error {
	var n int
	s, err := prepare(ck.Conn, `SELECT u.path, u.part_size, u.began, u.last, u.source, count(p.number),
		coalesce(min(p.number), 1), coalesce(min(p.size), 1), coalesce(max(p.size), 0), coalesce(sum(p.size), 0)
		FROM upload u LEFT JOIN upload_part p ON p.path = u.path GROUP BY u.path ORDER BY u.path`)
	if err != nil {
		return err
	}
	return s.each(func() error {
		path, partSize, largest, sum := s.ColumnText(0), s.ColumnInt64(1), s.ColumnInt64(8), s.ColumnInt64(9)
		if err := checkPath(path); err != nil {
			ck.report(&n, "The unfinished upload of %q is impossible: %v.", path, err)
		}
		source, err := columnEntry(s.Stmt, 4)
		switch {
		case err != nil:
			ck.report(&n, "The source of the unfinished upload of %q is impossible: %v.", path, err)
		case source.Kind == snapshot.Dir:
			ck.report(&n, "The source of the unfinished upload of %q is a directory.", path)
		case sum > source.Size:
			ck.report(&n, "The parts of the unfinished upload of %q have %d bytes, but its source has %d.", path, sum, source.Size)
		}
		if partSize < 0 || s.ColumnInt64(3) < s.ColumnInt64(2) {
			ck.report(&n, "The unfinished upload of %q has a negative part size, or ended before it began.", path)
		}
		if s.ColumnInt64(6) < 1 || s.ColumnInt64(7) < 1 || partSize > 0 && largest > partSize {
			ck.report(&n, "The unfinished upload of %q has a part without a number or bytes, or one above its part size, %d.", path, partSize)
		}
		return ck.ctx.Err()
	})
}

// documents checks that each belongs to somebody and can be read.
func (ck *checker) documents() error {
	var n int
	return query(ck.Conn, "SELECT owner, json FROM document ORDER BY owner", func(s *sqlite.Stmt) error {
		var into State
		if err := into.decode(s.ColumnText(0), s.ColumnText(1)); err != nil {
			ck.report(&n, "The document of %s is impossible: %v.", strconv.Quote(s.ColumnText(0)), err)
		}
		return ck.ctx.Err()
	})
}

// isTemporary recognises the last name of a path that the engine made up: its TempName and
// PartialName. Nothing under such a name is ever part of a snapshot.
func isTemporary(path string) bool {
	_, name := snapshot.Split(path)
	rest, ok := strings.CutPrefix(name, ".snapsync-")
	if !ok {
		return false
	}
	digits, suffix, ok := strings.Cut(rest, ".")
	return ok && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == "" && (suffix == "tmp" || suffix == "partial")
}
