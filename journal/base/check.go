package base

import (
	"context"
	"strings"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// CheckRows checks every row on its own, and the totals, and calls report with a sentence for each violation. planned are the
// paths that a pending step will change: some rules are suspended there.
func CheckRows(ctx context.Context, c database.Conn, planned map[string]bool, report func(format string, args ...any)) error {
	var sum Totals
	if err := c.Prepare("SELECT dir, name, entry FROM base ORDER BY dir, name").Each(func(row database.Row) error {
		dir, name := row.ColumnText(0), row.ColumnText(1)
		path := snapshot.Join(dir, name)
		if err := CheckPath(path); err != nil || strings.Contains(name, "/") {
			report("The base has an impossible path, directory %q and name %q.", dir, name)
		}
		e, err := row.ColumnEntry(2)
		if err != nil {
			report("The base of %q is impossible: %v.", path, err)
			return nil
		}
		sum.count(e, 1)
		if IsTemporary(name) && !planned[path] && !e.Flags.Has(snapshot.Retained) {
			report("The base has the temporary name %q, which no pending step removes.", path)
		}
		return ctx.Err()
	}); err != nil {
		return err
	}
	got, err := readTotals(c)
	if err == nil && got != sum {
		report("The totals of the base are kept as %+v, but are %+v.", got, sum)
	}
	return err
}

// CheckParents checks that everything in the base lies in a directory of the base. Its arguments are those of CheckRows.
func CheckParents(ctx context.Context, c database.Conn, planned map[string]bool, report func(format string, args ...any)) error {
	return c.Query("SELECT DISTINCT dir FROM base WHERE dir <> '' ORDER BY dir", func(row database.Row) error {
		path := row.ColumnText(0)
		dir, name := snapshot.Split(path)
		kind, err := c.Int(`SELECT coalesce((SELECT unicode(CAST(substr(entry, 2, 1) AS TEXT))
			FROM base WHERE dir = ? AND name = ?), 0)`, dir, name)
		switch {
		case err != nil:
			return err
		case kind == 0:
			report("The base holds something in %q, but not %q itself.", path, path)
		case kind != int64(snapshot.Dir) && !planned[path]:
			report("The base holds something in %q, which is a %v.", path, snapshot.Kind(kind))
		}
		return ctx.Err()
	})
}

// IsTemporary recognises the last name of a path that the engine made up: its TempName and
// PartialName. Nothing under such a name is ever part of a snapshot.
func IsTemporary(path string) bool {
	_, name := snapshot.Split(path)
	rest, ok := strings.CutPrefix(name, ".snapsync-")
	if !ok {
		return false
	}
	digits, suffix, ok := strings.Cut(rest, ".")
	return ok && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == "" && (suffix == "tmp" || suffix == "partial")
}
