package main

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared are the files that every command may use. Each other one is a command's, and what several commands need is in
// none of them: it is in a package of its own, or here.
var shared = []string{"main.go", "cli.go", "world.go", "preview.go"}

// partOf are files that belong to another one's command.
var partOf = map[string]string{
	"status_watch.go": "status.go", "follow.go": "history.go", "progress.go": "run.go",
	"config_check.go": "config.go", "config_init.go": "config.go", "config_reload.go": "config.go", "config_show.go": "config.go",
}

// TestNoCommandUsesAnother: no command's file uses a name that another command's file declares.
func TestNoCommandUsesAnother(t *testing.T) {
	for _, use := range usesBetweenFiles(t, ".") {
		from, to := commandOf(use.from), commandOf(use.to)
		if from != to && !slices.Contains(shared, from) && !slices.Contains(shared, to) {
			t.Errorf("%s uses %s of %s", use.from, use.name, use.to)
		}
	}
}

// The check sees functions, methods and fields.
func TestNoCommandUsesAnotherCanFail(t *testing.T) {
	seen := map[string]bool{}
	for _, use := range usesBetweenFiles(t, ".") {
		seen[use.from+" "+use.to] = true
	}
	for _, want := range []string{"cli.go run.go", "run.go progress.go", "main.go cli.go", "retry.go world.go"} {
		if !seen[want] {
			t.Errorf("that a file uses another goes unnoticed: %s", want)
		}
	}
}

func commandOf(file string) string {
	if whole, ok := partOf[file]; ok {
		return whole
	}
	return file
}

type use struct{ from, to, name string }

// usesBetweenFiles type-checks the package in dir by itself: what it imports is unknown, and left out.
func usesBetweenFiles(t *testing.T, dir string) (uses []use) {
	t.Helper()
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: unknown{}, Error: func(error) {}}
	pkg, _ := conf.Check("main", fset, files, info)
	for id, obj := range info.Uses {
		if obj.Pkg() != pkg || !obj.Pos().IsValid() {
			continue
		}
		from, to := fset.Position(id.Pos()).Filename, fset.Position(obj.Pos()).Filename
		if from != to && !strings.HasSuffix(from, "_test.go") {
			uses = append(uses, use{filepath.Base(from), filepath.Base(to), obj.Name()})
		}
	}
	slices.SortFunc(uses, func(a, b use) int { return strings.Compare(a.from+a.to+a.name, b.from+b.to+b.name) })
	return slices.Compact(uses)
}

// unknown imports nothing.
type unknown struct{}

func (unknown) Import(string) (*types.Package, error) { return nil, errors.New("not imported here") }
