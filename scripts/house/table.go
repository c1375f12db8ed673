package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
)

// figure is one row of the table.
type figure struct {
	name  string // what -list calls it
	means string
	value string
	goal  string   // "" where none is set
	top   string   // the largest of what it counts
	list  []string // what it counts
}

func (h *house) figures() ([]figure, error) {
	arrows, err := h.arrows()
	if err != nil {
		return nil, err
	}
	return []figure{h.largest(), h.neighbours(), h.methods(), h.fields(), h.once(), h.long(), h.big(), arrows}, nil
}

func figureTable(figures []figure) string {
	var b strings.Builder
	b.WriteString("| -list | figure | now | goal | the largest |\n| --- | --- | --: | --- | --- |\n")
	for _, f := range figures {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.name, f.means, f.value, f.goal, f.top)
	}
	return b.String()
}

// packageTable has the packages, the largest first.
func (h *house) packageTable() string {
	var b strings.Builder
	b.WriteString("| package | lines | files | others that a file uses |\n| --- | --: | --: | --: |\n")
	lines, files := 0, 0
	for _, p := range h.bySize() {
		name := p.path
		if p.product() {
			lines, files = lines+p.lines(), files+len(p.files)
		} else {
			name += " (no product)"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %.1f |\n", name, comma(p.lines()), len(p.files), p.mean())
	}
	fmt.Fprintf(&b, "| **product** | %s | %d | |\n", comma(lines), files)
	return b.String()
}

func (h *house) bySize() []*pkg {
	of := slices.Clone(h.packages)
	slices.SortStableFunc(of, func(a, b *pkg) int { return cmp.Compare(b.lines(), a.lines()) })
	return of
}

// count is a thing that a figure ranks.
type count struct {
	n    int
	what string
}

// rank sorts the largest first, and then by name.
func rank(of []count) {
	slices.SortFunc(of, func(a, b count) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.what, b.what)) })
}

// topFive lists the first five of what was ranked.
func topFive(of []count) string {
	var top []string
	for _, c := range of[:min(5, len(of))] {
		top = append(top, fmt.Sprintf("%s %s", c.what, comma(c.n)))
	}
	return strings.Join(top, ", ")
}

// listed writes what was ranked, as far as it is above a limit.
func listed(of []count, limit int) (list []string) {
	for _, c := range of {
		if c.n > limit {
			list = append(list, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return list
}

// first is the largest number of what was ranked.
func first(of []count) string {
	if len(of) == 0 {
		return "0"
	}
	return comma(of[0].n)
}

func comma(n int) string { return humanize.Comma(int64(n)) }
