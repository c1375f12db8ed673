package replay

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// row builds a history row from words: "send a 1", "move a b 1", "movedir a b", "delete a 1". The
// number is a size that stands for the content after the step, or before it for a delete. A send may
// name both: "send a 1 2".
func row(t *testing.T, text string) journal.HistoryRow {
	t.Helper()
	entry := func(digit string) *snapshot.Entry {
		return &snapshot.Entry{Kind: snapshot.File, Size: int64(digit[0] - '0'), HashType: snapshot.XXH3, Hash: snapshot.Hash{digit[0]}}
	}
	dir := &snapshot.Entry{Kind: snapshot.Dir}
	w := strings.Fields(text)
	switch {
	case w[0] == "send" && len(w) == 3:
		return journal.HistoryRow{Action: journal.Send, How: journal.Upload, Path: w[1], After: entry(w[2])}
	case w[0] == "send":
		return journal.HistoryRow{Action: journal.Send, How: journal.Upload, Path: w[1], Before: entry(w[2]), After: entry(w[3])}
	case w[0] == "move":
		return journal.HistoryRow{Action: journal.Move, From: w[1], Path: w[2], Before: entry(w[3]), After: entry(w[3])}
	case w[0] == "movedir":
		return journal.HistoryRow{Action: journal.Move, Dir: true, Files: 2, From: w[1], Path: w[2], Before: dir, After: dir}
	case w[0] == "delete":
		return journal.HistoryRow{Action: journal.Delete, Path: w[1], Before: entry(w[2])}
	}
	t.Fatalf("row %q", text)
	return journal.HistoryRow{}
}

func TestFold(t *testing.T) {
	for _, test := range []struct{ name, steps, want string }{
		{"added", "send a 1", "+ a (1 B)"},
		{"added, then changed", "send a 1; send a 1 2", "+ a (2 B)"},
		{"changed twice", "send a 1 2; send a 2 3", "~ a (1 B → 3 B)"},
		{"changed and back", "send a 1 2; send a 2 1", ""},
		{"came and went", "send a 1; delete a 1", ""},
		{"removed", "delete a 1", "- a"},
		{"removed and back", "delete a 1; send a 1", ""},
		{"removed, back with other content", "delete a 1; send a 2", "~ a (1 B → 2 B)"},
		{"renamed", "move a b 1", "→ a → b"},
		{"renamed and changed", "move a b 1; send b 1 2", "→ a → b (modified, 1 B → 2 B)"},
		{"renamed and touched", "move a b 1; send b 1 1", "→ a → b"},
		{"renamed twice", "move a b 1; move b c 1", "→ a → c"},
		{"renamed and back", "move a b 1; move b a 1", ""},
		{"added, then renamed", "send a 1; move a b 1", "+ b (1 B)"},
		{"renamed, then removed", "move a b 1; delete b 1", "- a"},
		{"renamed, and something new in its place", "move a b 1; send a 2", "+ a (2 B); → a → b"},
		{"swapped", "move a t 1; move b a 2; move t b 1", "→ b → a; → a → b"},
		{"renamed onto what was renamed away", "move b c 2; move a b 1", "→ a → b; → b → c"},
		{"directory renamed", "movedir x y", "→ x/ → y/ (2 files)"},
		{"directory renamed twice", "movedir x y; movedir y z", "→ x/ → z/ (2 files)"},
		{"directory renamed and back", "movedir x y; movedir y x", ""},
		{"changed in a directory that is renamed", "send x/a 1 2; movedir x y", "→ x/ → y/ (2 files); → x/a → y/a (modified, 1 B → 2 B)"},
		{"added to a directory that is renamed", "send x/a 1; movedir x y", "→ x/ → y/ (2 files); + y/a (1 B)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var rows []journal.HistoryRow
			for _, text := range strings.Split(test.steps, "; ") {
				rows = append(rows, row(t, text))
			}
			var got []string
			for _, c := range Fold(rows) {
				if said := strings.Contains(c.String(), "modified"); said && !c.edited() {
					t.Errorf("%s: edited is false", c.String())
				}
				got = append(got, c.String())
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
