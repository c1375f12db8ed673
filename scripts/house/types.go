package main

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// methods ranks the types by their methods. One that is declared for several systems counts once.
func (h *house) methods() figure {
	var of []count
	files := make(map[string]int)
	for _, p := range h.product() {
		names, in := make(map[string]map[string]bool), make(map[string]map[string]bool)
		for _, f := range p.functions() {
			if f.Recv == nil {
				continue
			}
			t := p.path + "." + receiver(f)
			note(names, t, f.Name.Name)
			note(in, t, h.fset.Position(f.Pos()).Filename)
		}
		for t := range names {
			of = append(of, count{len(names[t]), t})
			files[t] = len(in[t])
		}
	}
	rank(of)
	var top []string
	for _, c := range of[:min(5, len(of))] {
		top = append(top, fmt.Sprintf("%s %d in %d files", c.what, c.n, files[c.what]))
	}
	goal := fmt.Sprintf("≤ %d, in ≤ 4 files", goalMethods)
	return figure{"methods", "methods of one type", first(of), goal, strings.Join(top, ", "), listed(of, goalMethods)}
}

// note puts a member into the set of a key.
func note(sets map[string]map[string]bool, key, member string) {
	if sets[key] == nil {
		sets[key] = make(map[string]bool)
	}
	sets[key][member] = true
}

// receiver is the name of the type that a method hangs on.
func receiver(f *ast.FuncDecl) string {
	t := f.Recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.IndexListExpr:
			t = of.X
		case *ast.Ident:
			return of.Name
		default:
			return "?"
		}
	}
}

// fields ranks the structs by their fields; an embedded one counts as one. A struct is a configuration, a wire
// format or flags, and left out, if its name ends in one of these words, or if most of its fields have a tag. Caps are a
// wire format: what a remote can do, one word each, as the journal and the goldens of plans have it (decision 019).
func (h *house) fields() figure {
	var of []count
	for _, p := range h.product() {
		for _, f := range p.files {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				t, ok := n.(*ast.TypeSpec)
				if !ok || isForm(t.Name.Name) {
					return true
				}
				if n, tagged := fieldsOf(t); n > 0 && tagged*2 <= n {
					of = append(of, count{n, p.path + "." + t.Name.Name})
				}
				return true
			})
		}
	}
	rank(of)
	goal := fmt.Sprintf("≤ %d", goalFields)
	means := "fields of a struct that is no configuration, wire format or flags"
	return figure{"fields", means, first(of), goal, topFive(of), listed(of, goalFields)}
}

var formWords = []string{"config", "options", "flags", "cmd", "spec", "json", "caps"}

func isForm(name string) bool {
	return slices.ContainsFunc(formWords, func(w string) bool { return strings.HasSuffix(strings.ToLower(name), w) })
}

// fieldsOf counts the fields of a struct, and those with a tag.
func fieldsOf(t *ast.TypeSpec) (n, tagged int) {
	s, ok := t.Type.(*ast.StructType)
	if !ok {
		return 0, 0
	}
	for _, f := range s.Fields.List {
		k := max(1, len(f.Names))
		n += k
		if f.Tag != nil {
			tagged += k
		}
	}
	return n, tagged
}
