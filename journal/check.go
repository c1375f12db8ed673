package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/snapsync/snapsync/journal/base"
	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// maxViolations bounds what Check reports of each kind: the first few say enough.
const maxViolations = 20

// Check verifies everything that must hold, offline and without writing: SQLite's own structure, and
// that base, steps, sums, history, outbox, uploads and claims agree, and that each document can be read. It returns a sentence for each violation
// and none for a sound journal. It reads everything and sees one state.
func (j *Journal) Check(ctx context.Context) ([]string, error) {
	var ck checker
	err := j.db.Read("check", func(c database.Conn) error {
		ck.Conn, ck.ctx = c, ctx
		return c.ReadTx(func() error {
			for _, check := range []func() error{
				ck.structure, ck.steps, ck.base, ck.parents, ck.history, ck.outbox, ck.failures, ck.uploads, ck.documents,
			} {
				ck.kind = 0
				switch err := check(); {
				case errors.Is(database.Class(err), ErrDamaged):
					ck.found = append(ck.found, err.Error()+".")
				case err != nil:
					return err
				}
			}
			return ctx.Err()
		})
	})
	return ck.found, err
}

// checker is one run of Check.
type checker struct {
	database.Conn
	ctx   context.Context
	found []string
	kind  int // how many of the present kind were found

	planned map[string]bool // paths that a pending step will change: some rules are suspended there
}

// report adds a violation of the present kind.
func (ck *checker) report(format string, args ...any) {
	if ck.kind++; ck.kind <= maxViolations {
		ck.found = append(ck.found, fmt.Sprintf(format, args...))
	}
}

// structure asks SQLite.
func (ck *checker) structure() error {
	if err := ck.Query(fmt.Sprintf("PRAGMA integrity_check(%d)", maxViolations), func(row database.Row) error {
		if text := row.ColumnText(0); text != "ok" {
			ck.report("The file's structure is damaged: %s.", strings.TrimSuffix(text, "."))
		}
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	return ck.Query("PRAGMA foreign_key_check", func(row database.Row) error {
		ck.report("A row of %s refers to a row of %s that does not exist.", row.ColumnText(0), row.ColumnText(2))
		return nil
	})
}

// steps checks that each step is possible, and that numbers and sums agree.
func (ck *checker) steps() error {
	var last, claimed int64
	if err := ck.Query("SELECT last_seq, claimed FROM counter", func(row database.Row) error {
		last, claimed = row.ColumnInt64(0), row.ColumnInt64(1)
		return nil
	}); err != nil {
		return err
	}
	if claimed > last {
		ck.report("Steps up to %d are claimed, but the last one has the number %d.", claimed, last)
	}
	ck.planned = make(map[string]bool)
	sums := make(backlog)
	if err := ck.Query("SELECT "+stepColumns+", since FROM step ORDER BY seq", func(row database.Row) error {
		step, err := columnStep(row)
		if err != nil {
			ck.report("Step %d is impossible: %v.", row.ColumnInt64(0), err)
		}
		for _, path := range []string{step.Path, cmp.Or(step.From, step.Path)} {
			if err := base.CheckPath(path); err != nil {
				ck.report("Step %d is impossible: %v.", step.Seq, err)
				break
			}
		}
		if step.Seq < 1 || step.Seq > last {
			ck.report("Step %d has a number above the last one, %d.", step.Seq, last)
		}
		// A file in the place of a directory, or a temporary name, may be waiting for this step.
		if step.Old != nil && step.Old.Kind != snapshot.Dir || base.IsTemporary(step.Path) {
			ck.planned[step.Path] = true
		}
		if step.From != "" {
			ck.planned[step.From] = true
		}
		sums.add(row.ColumnInt64(11), 1, row.ColumnInt64(5))
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	return ck.backlog(sums)
}

func (ck *checker) backlog(sums backlog) error {
	if err := ck.Query("SELECT since, steps, held FROM backlog ORDER BY since", func(row database.Row) error {
		since := row.ColumnInt64(0)
		if got, want := (waiting{row.ColumnInt64(1), row.ColumnInt64(2)}), sums[since]; got != want {
			ck.report("The backlog counts %d steps, %d of them held, since %v, but there are %d and %d.",
				got.steps, got.held, time.Unix(0, since).UTC(), want.steps, want.held)
		}
		delete(sums, since)
		return nil
	}); err != nil {
		return err
	}
	for _, since := range slices.Sorted(maps.Keys(sums)) {
		ck.report("The backlog misses %d steps that wait since %v.", sums[since].steps, time.Unix(0, since).UTC())
	}
	return nil
}

func (ck *checker) base() error { return base.CheckRows(ck.ctx, ck.Conn, ck.planned, ck.report) }

func (ck *checker) parents() error { return base.CheckParents(ck.ctx, ck.Conn, ck.planned, ck.report) }

// history checks that rows can be decoded and belong to a cycle, and that the cycles are in order.
func (ck *checker) history() error {
	if err := ck.Query("SELECT "+historyColumns+" FROM history ORDER BY id", func(row database.Row) error {
		if _, err := columnHistory(row); err != nil {
			ck.report("Row %d of the history is impossible: %v.", row.ColumnInt64(0), err)
		}
		return ck.ctx.Err()
	}); err != nil {
		return err
	}
	if err := ck.Query(`SELECT DISTINCT cycle FROM history WHERE NOT EXISTS (SELECT 1 FROM cycle c
		WHERE c.id = history.cycle AND c.first_history <= history.id)`, func(row database.Row) error {
		ck.report("The history has rows of cycle %d, which does not exist or starts later.", row.ColumnInt64(0))
		return nil
	}); err != nil {
		return err
	}
	return ck.Query(`SELECT a.id FROM cycle a WHERE a.ended = 0 AND a.id < (SELECT max(id) FROM cycle)
		ORDER BY a.id`, func(row database.Row) error {
		ck.report("Cycle %d has not ended, but a later one has begun.", row.ColumnInt64(0))
		return nil
	})
}

// outbox checks that its ranges exist and do not overlap.
func (ck *checker) outbox() error {
	var end int64
	return ck.Query(`SELECT first, last, EXISTS (SELECT 1 FROM history WHERE id = first) AND
		EXISTS (SELECT 1 FROM history WHERE id = last) FROM outbox ORDER BY first`, func(row database.Row) error {
		first, last := row.ColumnInt64(0), row.ColumnInt64(1)
		if first > last || first <= end {
			ck.report("The outbox range %d to %d is empty or overlaps the one before it.", first, last)
		}
		if !row.ColumnBool(2) {
			ck.report("The outbox range %d to %d is not in the history.", first, last)
		}
		end = last
		return nil
	})
}

func (ck *checker) failures() error {
	return ck.Query("SELECT path FROM failure WHERE tries < 1 OR last < first ORDER BY path", func(row database.Row) error {
		ck.report("The failure of %q has no tries, or ends before it begins.", row.ColumnText(0))
		return nil
	})
}

// uploads checks that each unfinished upload is possible, and that its parts are parts of its source.
func (ck *checker) uploads() error {
	return ck.Query(`SELECT u.path, u.part_size, u.began, u.last, u.source, count(p.number),
		coalesce(min(p.number), 1), coalesce(min(p.size), 1), coalesce(max(p.size), 0), coalesce(sum(p.size), 0)
		FROM upload u LEFT JOIN upload_part p ON p.path = u.path GROUP BY u.path ORDER BY u.path`, func(row database.Row) error {
		path, partSize, largest, sum := row.ColumnText(0), row.ColumnInt64(1), row.ColumnInt64(8), row.ColumnInt64(9)
		if err := base.CheckPath(path); err != nil {
			ck.report("The unfinished upload of %q is impossible: %v.", path, err)
		}
		source, err := row.ColumnEntry(4)
		switch {
		case err != nil:
			ck.report("The source of the unfinished upload of %q is impossible: %v.", path, err)
		case source.Kind == snapshot.Dir:
			ck.report("The source of the unfinished upload of %q is a directory.", path)
		case sum > source.Size:
			ck.report("The parts of the unfinished upload of %q have %d bytes, but its source has %d.", path, sum, source.Size)
		}
		if partSize < 0 || row.ColumnInt64(3) < row.ColumnInt64(2) {
			ck.report("The unfinished upload of %q has a negative part size, or ended before it began.", path)
		}
		if row.ColumnInt64(6) < 1 || row.ColumnInt64(7) < 1 || partSize > 0 && largest > partSize {
			ck.report("The unfinished upload of %q has a part without a number or bytes, or one above its part size, %d.", path, partSize)
		}
		return ck.ctx.Err()
	})
}

// documents checks that each belongs to somebody and can be read.
func (ck *checker) documents() error {
	return ck.Query("SELECT owner, json FROM document ORDER BY owner", func(row database.Row) error {
		var into State
		if err := into.decode(row.ColumnText(0), row.ColumnText(1)); err != nil {
			ck.report("The document of %s is impossible: %v.", strconv.Quote(row.ColumnText(0)), err)
		}
		return ck.ctx.Err()
	})
}
