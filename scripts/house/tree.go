package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// beside are the packages that are no product.
var beside = []string{"scripts/benchmark", "scripts/house", "engine/enginetest"}

// house is the module that is measured.
type house struct {
	root, module string
	fset         *token.FileSet
	packages     []*pkg             // sorted by path
	calls        map[token.Pos]bool // names that are called where they stand
	asked        map[token.Pos]bool // methods that an interface of their package asks for
	uses         map[use]bool
}

// pkg is the Go files of one directory that are no tests, whatever system each is for.
type pkg struct {
	path  string // relative to the root, with slashes; "." is the root
	files []*file
}

// file is one of them.
type file struct {
	name     string // relative to the root, with slashes
	ast      *ast.File
	lines    int
	resolved bool     // some system takes it
	uses     []string // the names in the directory of those of the package that it uses, sorted
}

func (p *pkg) product() bool { return !slices.Contains(beside, p.path) }

func (p *pkg) lines() (n int) {
	for _, f := range p.files {
		n += f.lines
	}
	return n
}

// product returns the packages that the figures are of.
func (h *house) product() (of []*pkg) {
	for _, p := range h.packages {
		if p.product() {
			of = append(of, p)
		}
	}
	return of
}

// at says where something stands, as "dir/file.go:12".
func (h *house) at(pos token.Pos) string {
	p := h.fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// span is the number of lines of a node, the first and the last included.
func (h *house) span(n ast.Node) int {
	return h.fset.Position(n.End()).Line - h.fset.Position(n.Pos()).Line + 1
}

// read parses a module.
func read(root string) (*house, error) {
	h := &house{root: root, fset: token.NewFileSet(), calls: make(map[token.Pos]bool), asked: make(map[token.Pos]bool), uses: make(map[use]bool)}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			h.module = strings.TrimSpace(name)
		}
	}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && h.foreign(name):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return h.parse(name)
	})
	return h, err
}

// foreign reports whether a directory holds what is no code of this module.
func (h *house) foreign(name string) bool {
	if name == "." {
		return false
	}
	base := path.Base(name)
	_, err := os.Stat(filepath.Join(h.root, name, "go.mod"))
	return err == nil || base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

// parse adds one file, unless it is generated. Files come sorted, but those of a directory are interrupted by its
// subdirectories.
func (h *house) parse(name string) error {
	text, err := os.ReadFile(filepath.Join(h.root, name))
	if err != nil {
		return err
	}
	tree, err := parser.ParseFile(h.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(tree) {
		return nil
	}
	i, found := slices.BinarySearchFunc(h.packages, path.Dir(name), func(p *pkg, dir string) int {
		return strings.Compare(p.path, dir)
	})
	if !found {
		h.packages = slices.Insert(h.packages, i, &pkg{path: path.Dir(name)})
	}
	p := h.packages[i]
	p.files = append(p.files, &file{name: name, ast: tree, lines: bytes.Count(text, []byte("\n"))})
	ast.Inspect(tree, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			h.calls[named(call.Fun)] = true
		}
		return true
	})
	return nil
}

// named is where the name stands in what is called.
func named(called ast.Expr) token.Pos {
	if s, ok := called.(*ast.SelectorExpr); ok {
		return s.Sel.Pos()
	}
	return called.Pos()
}
