package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what is wanted in testdata")

// Each archive is a module, with what is wanted of it: "want" is what is printed, "want NAME" the list of a figure.
func TestModules(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := measure(t, a)
			for i, f := range a.Files {
				if f.Name != "want" && !strings.HasPrefix(f.Name, "want ") {
					continue
				}
				if diff := cmp.Diff(string(f.Data), got[f.Name]); diff != "" && !*update {
					t.Errorf("%s (-want +got):\n%s", f.Name, diff)
				}
				a.Files[i].Data = []byte(got[f.Name])
			}
			if *update {
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// measure returns what an archive can want.
func measure(t *testing.T, a *txtar.Archive) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		file := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	h.resolve()
	figures, err := h.figures()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"want": h.packageTable() + figureTable(figures)}
	for _, f := range figures {
		for _, line := range f.list {
			got["want "+f.name] += line + "\n"
		}
	}
	return got
}

// Sizes count from the limit on, and not at it.
func TestLimits(t *testing.T) {
	function := func(name string, lines int) string {
		return fmt.Sprintf("func %s() {%s}\n", name, strings.Repeat("\n", lines-1))
	}
	a := &txtar.Archive{Files: []txtar.File{
		{Name: "go.mod", Data: []byte("module tiny\n")},
		{Name: "functions.go", Data: []byte("package tiny\n" + function("at", goalFunction) + function("over", goalFunction+1))},
		{Name: "at.go", Data: []byte("package tiny\n" + strings.Repeat("\n", goalFile-1))},
		{Name: "over.go", Data: []byte("package tiny\n" + strings.Repeat("\n", goalFile))},
	}}
	got := measure(t, a)
	if got, want := got["want functions"], "71 functions.go:72 over\n"; got != want {
		t.Errorf("functions: %q, want %q", got, want)
	}
	if got, want := got["want files"], "501 over.go\n"; got != want {
		t.Errorf("files: %q, want %q", got, want)
	}
	if want := "| uses | other files of its package that a file uses, mean | 0.0 |"; !strings.Contains(got["want"], want) {
		t.Errorf("a package over 1,000 lines is missing:\n%s", got["want"])
	}
}
