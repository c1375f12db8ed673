//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A part of the works replaces its own rows, where they are, and leaves the others.
func TestTableUpdatesItsRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("before\n"+markers[0]+markers[1]+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	update := func(part bool, about string, rows ...string) string {
		t.Helper()
		tab := table{about: about, judge: true}
		for _, what := range rows {
			tab.within(what, time.Second, about, 2*time.Second)
		}
		if err := tab.update(file, part); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	update(false, "one", "a", "b", "b", "c")
	got := update(true, "two", "b", "d")
	for _, want := range []string{
		"before\n", "after\n", "two Rows that", "| a | 1000 ms | one |", "| c | 1000 ms | one |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	order := []string{"| a | 1000 ms | one", "| b | 1000 ms | two", "| d | 1000 ms | two", "| c | 1000 ms | one"}
	for i := 1; i < len(order); i++ {
		if strings.Index(got, order[i-1]) >= strings.Index(got, order[i]) {
			t.Errorf("%q does not come before %q:\n%s", order[i-1], order[i], got)
		}
	}
	if strings.Count(got, "| b |") != 1 {
		t.Errorf("older rows are left:\n%s", got)
	}
}
