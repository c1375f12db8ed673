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
