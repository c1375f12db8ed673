package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file. Its text says the remedy.
type Problem struct {
	Path string
	At   Position
	Err  error
}

// Error is "path:line:column: text", which editors can follow.
func (p *Problem) Error() string {
	if p.At == (Position{}) {
		return fmt.Sprintf("%s: %v", p.Path, p.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", p.Path, p.At.Line, p.At.Column, p.Err)
}

// Unwrap returns what was found.
func (p *Problem) Unwrap() error { return p.Err }

// Problems are all mistakes that were found in a file.
type Problems []*Problem

// Error has a line for each, in the order of the file.
func (ps Problems) Error() string {
	var lines []string
	for _, p := range ps {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// Err sorts the problems; nil: there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b *Problem) int { return a.At.compare(b.At) })
	return ps
}

// Meant returns the one of names that a person may have meant by typed, or else what answer, which may be nil, says of typed; "", "":
// neither knows. Another spelling of a name, complete_sync, goes before an answer; a near miss, max-depth for max-delete, after it.
func Meant(typed string, names []string, answer func(string) string) (name, said string) {
	near := nearest(typed, names)
	if answer != nil && spelling(near) != spelling(typed) {
		said = answer(typed)
	}
	if said != "" {
		return "", said
	}
	return near, ""
}

// spelling is a name as all its spellings have it.
func spelling(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// nearest returns the one of names that differs least from typed; "": none is near.
func nearest(typed string, names []string) string {
	typed = spelling(typed)
	best, limit := "", max(1, len(typed)/3)+1
	for _, name := range names {
		d := distance(typed, spelling(name))
		if d > 0 && len(typed) >= 4 && (strings.HasPrefix(name, typed) || strings.HasPrefix(typed, name)) {
			d = 1 // "delay" for "delay-of-something"
		}
		if d < limit {
			best, limit = name, d
		}
	}
	return best
}

// distance counts the letters to insert, drop, replace or swap with their neighbour.
func distance(a, b string) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
