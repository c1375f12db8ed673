package base

import (
	"fmt"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// The queries about contents use the index where there is one: the expressions match.
func TestContentsUseTheIndex(t *testing.T) {
	db, err := database.OpenMemory(func(database.Conn) error { return nil })
	must(t, err)
	defer db.Close()
	e := &snapshot.Entry{Kind: snapshot.File, HashType: snapshot.XXH3, Hash: snapshot.Hash{1}, Size: 1}
	must(t, db.Write("fill", func(tx *database.Tx) error {
		return NewWriter().Edit(tx, 1, func(edit *Edit) error { return edit.Refresh([]Refresh{{"a", e}}) })
	}))
	found, err := New(db).Sizes([]int64{1})
	must(t, err)
	if !found[1] {
		t.Error("the file is not found")
	}
	for _, q := range []string{
		"SELECT 1 FROM base WHERE " + contentWhere + " AND " + contentKey + " BETWEEN ? AND ? LIMIT 1",
		"SELECT dir, name FROM base WHERE " + contentWhere + " AND " + contentKey + " = ? ORDER BY dir, name LIMIT 1",
		"UPDATE base SET dir = 'x' WHERE dir >= 'a' AND dir < 'b'",
	} {
		var plan strings.Builder
		must(t, db.Read("explain", func(c database.Conn) error {
			return c.Prepare("EXPLAIN QUERY PLAN " + q).Each(func(row database.Row) error {
				fmt.Fprintln(&plan, row.ColumnText(3))
				return nil
			})
		}))
		if !strings.Contains(plan.String(), "SEARCH") || strings.Contains(plan.String(), "TEMP B-TREE") {
			t.Errorf("%s: %s", q, plan.String())
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
