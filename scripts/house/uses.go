package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// large is the lines from which on a package is one whose files the figure is about.
const large = 1000

// neighbours ranks the packages over 1,000 lines by the mean number of other files of the package that a file uses.
// A file uses another one if it names a package-level function, type, variable or constant, a method, also of an
// interface, or a field of a struct that is declared there. Uses are counted once for each pair of files, whatever
// the system. A type that is only inferred is not named.
func (h *house) neighbours() figure {
	var of []*pkg
	f := figure{name: "uses", means: "other files of its package that a file uses, mean", value: "0.0", goal: "≤ 3"}
	for _, p := range h.product() {
		f.list = append(f.list, p.uses()...)
		if p.lines() > large {
			of = append(of, p)
		}
	}
	slices.SortStableFunc(of, func(a, b *pkg) int { return cmp.Compare(b.mean(), a.mean()) })
	var top []string
	for i, p := range of {
		mean := fmt.Sprintf("%.1f", p.mean())
		if i == 0 {
			f.value = mean
		}
		top = append(top, p.path+" "+mean)
	}
	f.top = strings.Join(top, ", ")
	return f
}

// mean leaves out files that no system takes: what they use is not known.
func (p *pkg) mean() float64 {
	n, uses := 0, 0
	for _, f := range p.files {
		if f.resolved {
			n++
			uses += len(f.uses)
		}
	}
	return float64(uses) / float64(max(1, n))
}

// uses lists the files that each file of the package uses, those with most first.
func (p *pkg) uses() (list []string) {
	files := slices.Clone(p.files)
	slices.SortStableFunc(files, func(a, b *file) int { return cmp.Compare(len(b.uses), len(a.uses)) })
	for _, f := range files {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d %s: %s", len(f.uses), f.name, strings.Join(f.uses, " "))))
	}
	return list
}

// once counts the functions and methods of at most 8 lines, from func to the closing bracket, that are not exported
// and that the code without tests names in one place, where it calls them. One that has a declaration for each of
// several systems has a reason, and so has one that an interface of its package asks for, by which others call it:
// neither counts.
func (h *house) once() figure {
	const short = 8
	places := h.places()
	f := figure{name: "once", means: fmt.Sprintf("unexported functions of ≤ %d lines that are called once", short)}
	for _, p := range h.product() {
		declared := make(map[string]int)
		for _, d := range p.functions() {
			declared[qualified(d)]++
		}
		for _, d := range p.functions() {
			at := places[d.Name.Pos()]
			if d.Name.IsExported() || declared[qualified(d)] > 1 || h.span(d) > short || len(at) != 1 || !h.calls[at[0]] || h.asked[d.Name.Pos()] {
				continue
			}
			f.list = append(f.list, fmt.Sprintf("%s %s: called at %s", h.at(d.Pos()), qualified(d), h.at(at[0])))
		}
	}
	f.value, f.goal = comma(len(f.list)), fmt.Sprintf("≤ %d", goalOnce)
	return f
}

// places has the places that name each declaration.
func (h *house) places() map[token.Pos][]token.Pos {
	of := make(map[token.Pos][]token.Pos)
	for u := range h.uses {
		of[u.declaration] = append(of[u.declaration], u.place)
	}
	return of
}

// qualified is a function's name, with that of its receiver's type.
func qualified(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return receiver(f) + "." + f.Name.Name
}
