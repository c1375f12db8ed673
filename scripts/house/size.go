package main

import (
	"errors"
	"fmt"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What the figures are held to.
const (
	goalPackage  = 3900
	goalMethods  = 40
	goalFields   = 14
	goalOnce     = 90
	goalFunction = 70
	goalFile     = 500
)

// largest ranks the packages by lines.
func (h *house) largest() figure {
	var of []count
	for _, p := range h.product() {
		of = append(of, count{p.lines(), p.path})
	}
	rank(of)
	goal := fmt.Sprintf("%s, else 2,900", comma(goalPackage))
	return figure{"packages", "largest package, lines", first(of), goal, topFive(of), listed(of, 0)}
}

// long counts the declared functions of more than 70 lines, from func to the closing bracket.
func (h *house) long() figure {
	var of []count
	for _, p := range h.product() {
		for _, f := range p.functions() {
			of = append(of, count{h.span(f), h.at(f.Pos()) + " " + f.Name.Name})
		}
	}
	return above("functions", of, goalFunction)
}

// big counts the files of more than 500 lines.
func (h *house) big() figure {
	var of []count
	for _, p := range h.product() {
		for _, f := range p.files {
			of = append(of, count{f.lines, f.name})
		}
	}
	return above("files", of, goalFile)
}

// above is a figure that counts what is larger than a limit.
func above(name string, of []count, limit int) figure {
	rank(of)
	list := listed(of, limit)
	return figure{name, fmt.Sprintf("%s over %d lines", name, limit), comma(len(list)), "0", topFive(of), list}
}

// functions returns the functions and methods of a package, in the order of its files.
func (p *pkg) functions() (of []*ast.FuncDecl) {
	for _, f := range p.files {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				of = append(of, d)
			}
		}
	}
	return of
}

// arrows counts what the module's own scripts/arrows complains of. It says one thing a line.
func (h *house) arrows() (figure, error) {
	f := figure{name: "arrows", means: "arrows against the layering", value: "not kept", goal: "0"}
	script := filepath.Join(h.root, "scripts", "arrows")
	if _, err := os.Stat(script); errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	said, err := exec.Command("bash", script).CombinedOutput()
	for line := range strings.Lines(string(said)) {
		if what, ok := strings.CutPrefix(line, "arrows: "); ok {
			f.list = append(f.list, strings.TrimSpace(what))
		}
	}
	if err != nil && len(f.list) == 0 {
		return f, fmt.Errorf("run %s: %w: %s", script, err, said)
	}
	f.value = comma(len(f.list))
	return f, nil
}
