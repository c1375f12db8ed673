package complete

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

func takesValue(f *kong.Flag) bool { return !f.IsBool() && !f.IsCounter() }

// flags proposes those that can still be given, the command's own first.
func (l *line) flags() (all []candidate) {
	levels := l.node.AllFlags(true)
	slices.Reverse(levels)
	for _, f := range slices.Concat(levels...) {
		if l.excluded(f) {
			continue
		}
		for _, name := range spellings(f) {
			all = append(all, candidate{name, firstSentence(f.Help)})
		}
	}
	return all
}

// spellings are the ways to write a flag: --links, -l, and what kong takes for the opposite.
func spellings(f *kong.Flag) []string {
	names := []string{"--" + f.Name}
	if f.Short != 0 {
		names = append(names, "-"+string(f.Short))
	}
	switch no := f.Tag.Negatable; no {
	case "":
	case "_": // kong's word for its default
		names = append(names, "--no-"+f.Name)
	default:
		names = append(names, "--"+no)
	}
	return names
}

// excluded reports whether f was given and is not repeatable, or one was given that excludes it.
func (l *line) excluded(f *kong.Flag) bool {
	return slices.ContainsFunc(l.parsed.Path, func(step *kong.Path) bool {
		g := step.Flag
		if g == f {
			return !f.IsCumulative() && !f.IsCounter()
		}
		return g != nil && slices.ContainsFunc(g.Xor, func(x string) bool { return slices.Contains(f.Xor, x) })
	})
}

func firstSentence(help string) string {
	help, _, _ = strings.Cut(help, ". ")
	return strings.TrimSuffix(help, ".")
}
