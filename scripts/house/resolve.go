package main

import (
	"errors"
	"go/ast"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// systems are those that scripts/arrows looks at as well.
var systems = []string{"linux", "darwin", "windows"}

// use is one place that names a declaration of the module. A place can mean another declaration on each system.
type use struct{ place, declaration token.Pos }

// resolve finds all uses, on all systems.
func (h *house) resolve() {
	for _, system := range systems {
		// The importer reads this variable, and there is no other way to tell it.
		build.Default.GOOS, build.Default.GOARCH, build.Default.CgoEnabled = system, "amd64", false
		c := &checker{house: h, known: make(map[string]*types.Package)}
		c.standard = importer.ForCompiler(h.fset, "source", nil)
		for _, p := range h.packages {
			c.ours(path.Join(h.module, p.path))
		}
	}
	h.link()
}

// link tells each file which other ones of its package it uses.
func (h *house) link() {
	files := make(map[string]*file)
	for _, p := range h.packages {
		for _, f := range p.files {
			files[f.name] = f
		}
	}
	for u := range h.uses {
		from, to := h.fset.File(u.place).Name(), h.fset.File(u.declaration).Name()
		f, base := files[from], path.Base(to)
		if from != to && path.Dir(from) == path.Dir(to) && !slices.Contains(f.uses, base) {
			f.uses = append(f.uses, base)
		}
	}
	for _, f := range files {
		slices.Sort(f.uses)
	}
}

// checker resolves the names of one system. It is the importer of what it checks.
type checker struct {
	*house
	standard types.Importer
	known    map[string]*types.Package
}

var errForeign = errors.New("of another module")

func (c *checker) Import(name string) (*types.Package, error) {
	if c.has(name) {
		return c.ours(name), nil
	}
	if first, _, _ := strings.Cut(name, "/"); strings.Contains(first, ".") {
		return nil, errForeign
	}
	return c.standard.Import(name)
}

// has reports whether a package is of the module.
func (h *house) has(name string) bool {
	return name == h.module || strings.HasPrefix(name, h.module+"/")
}

// ours checks one package of the module, once. Errors are ignored: an unknown package makes many.
func (c *checker) ours(name string) *types.Package {
	if p := c.known[name]; p != nil {
		return p
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: c, Error: func(error) {}}
	p, _ := config.Check(name, c.fset, c.filesOf(name), info) // which returns a package all the same
	c.known[name] = p
	c.ask(p)
	for id, o := range info.Uses {
		if o.Pkg() != nil && c.has(o.Pkg().Path()) {
			c.uses[use{id.Pos(), o.Pos()}] = true
		}
	}
	return p
}

// ask finds the methods of a package that one of its own interfaces asks for.
func (c *checker) ask(p *types.Package) {
	var interfaces []*types.Interface
	for _, name := range p.Scope().Names() {
		if i, ok := p.Scope().Lookup(name).Type().Underlying().(*types.Interface); ok {
			interfaces = append(interfaces, i)
		}
	}
	for _, name := range p.Scope().Names() {
		t, ok := p.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		for _, i := range interfaces {
			for n := 0; n < i.NumMethods() && types.Implements(types.NewPointer(t.Type()), i); n++ {
				method, _, _ := types.LookupFieldOrMethod(types.NewPointer(t.Type()), false, p, i.Method(n).Name())
				if method != nil { // in a type that is broken for want of another module
					c.asked[method.Pos()] = true
				}
			}
		}
	}
}

// filesOf returns the files of a package that this system takes.
func (c *checker) filesOf(name string) (of []*ast.File) {
	for _, p := range c.packages {
		if path.Join(c.module, p.path) != name {
			continue
		}
		for _, f := range p.files {
			if ok, err := build.Default.MatchFile(filepath.Join(c.root, p.path), path.Base(f.name)); ok && err == nil {
				f.resolved = true
				of = append(of, f.ast)
			}
		}
	}
	return of
}
