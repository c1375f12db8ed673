package journal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/snapsync/snapsync/snapshot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestFolds runs testdata/folds/*.txtar: a base, the steps that the remote confirmed, and the base
// afterwards. One entry a line, its size after the path of a file:
//
//	"a/b" file 3
//	"a" dir
//	"old" file 2 retained
//
// One step a line; a move, and only a move, has a from:
//
//	send "a/b" file 3
//	move "a" -> "b" dir
//	delete "a/b"
//	rmdir "a"
//	forget "a"          (a refresh, not a step: all of them are given to one Begin)
//	learn "a" dir       (likewise)
//
// Directories of the base that are not named get their row as in an acknowledgement.
func TestFolds(t *testing.T) {
	files, err := filepath.Glob("testdata/folds/*.txtar")
	must(t, err)
	if len(files) < 10 {
		t.Fatalf("only %d golden files", len(files))
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			must(t, err)
			j, _ := newJournal(t)
			got := foldGolden(t, j, section(ar, "base"), section(ar, "done"))
			if want := section(ar, "after"); got != want {
				if *update {
					setSection(ar, "after", got)
					must(t, os.WriteFile(path, txtar.Format(ar), 0o644))
					return
				}
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func section(ar *txtar.Archive, name string) string {
	for _, f := range ar.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setSection(ar *txtar.Archive, name, text string) {
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		ar.Files = append(ar.Files, txtar.File{Name: name})
		i = len(ar.Files) - 1
	}
	ar.Files[i].Data = []byte(text)
}

func foldGolden(t *testing.T, j *Journal, base, done string) string {
	t.Helper()
	var fill []Refresh
	for line := range strings.Lines(base) {
		path, rest := parsePath(t, strings.TrimSpace(line))
		fill = append(fill, Refresh{Path: path, Entry: parseEntry(t, rest)})
	}
	must(t, j.Repair(fill))
	var steps []Done
	var p Plan
	for line := range strings.Lines(done) {
		parseDone(t, strings.TrimSpace(line), &p, &steps)
	}
	if _, err := j.Begin(p, nil, noon); err != nil {
		t.Fatal(err)
	}
	if err := j.Ack(steps); err != nil {
		return "error: " + err.Error() + "\n"
	}
	mustBeSound(t, j)
	return formatBase(t, j)
}

func parseDone(t *testing.T, line string, p *Plan, steps *[]Done) {
	t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	path, rest := parsePath(t, rest)
	d := Done{Step: Step{Path: path, Reason: Modified}, At: noon}
	switch verb {
	case "learn", "forget":
		r := Refresh{Path: path}
		if verb == "learn" {
			r.Entry = parseEntry(t, rest)
		}
		p.Refresh = append(p.Refresh, r)
		return
	case "send":
		d.Entry = parseEntry(t, rest)
		d.Step.Action, d.Step.How, d.Step.New = Send, Upload, d.Entry
	case "move":
		to, entry := parsePath(t, strings.TrimPrefix(rest, "-> "))
		d.Entry = parseEntry(t, entry)
		d.Step.Action, d.Step.From, d.Step.Path = Move, path, to
		d.Step.Old, d.Step.New, d.Step.Dir = d.Entry, d.Entry, d.Entry.Kind == snapshot.Dir
	case "delete", "rmdir":
		d.Step.Action, d.Step.Dir = Delete, verb == "rmdir"
	default:
		t.Fatalf("unknown line %q", line)
	}
	*steps = append(*steps, d)
}

func parsePath(t *testing.T, s string) (path, rest string) {
	t.Helper()
	quoted, err := strconv.QuotedPrefix(s)
	must(t, err)
	path, err = strconv.Unquote(quoted)
	must(t, err)
	return path, strings.TrimSpace(s[len(quoted):])
}

func parseEntry(t *testing.T, s string) *snapshot.Entry {
	t.Helper()
	e := new(snapshot.Entry)
	for _, w := range strings.Fields(s) {
		switch w {
		case "file":
			e.Kind = snapshot.File
		case "dir":
			e.Kind = snapshot.Dir
		case "symlink":
			e.Kind = snapshot.Symlink
		case "retained":
			e.Flags = snapshot.Retained
		default:
			var err error
			e.Size, err = strconv.ParseInt(w, 10, 64)
			must(t, err)
		}
	}
	return e
}

func formatBase(t *testing.T, j *Journal) string {
	t.Helper()
	var lines strings.Builder
	must(t, j.Walk(t.Context(), func(path string, e *snapshot.Entry) error {
		fmt.Fprintf(&lines, "%q %v", path, e.Kind)
		if e.Kind != snapshot.Dir {
			fmt.Fprintf(&lines, " %d", e.Size)
		}
		if e.Flags.Has(snapshot.Retained) {
			lines.WriteString(" retained")
		}
		lines.WriteString("\n")
		return nil
	}))
	return lines.String()
}
