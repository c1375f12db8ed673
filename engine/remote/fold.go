package remote

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Folds reports whether some names that differ are one to the remote.
func (c *Caps) Folds() bool { return c.CaseInsensitive || c.FormInsensitive || c.EndInsensitive }

// Fold returns what path has in common with all paths that are, or may be, one to the remote; path itself where no names are
// one. Disks disagree about letters (ς and σ, ſ and s, ß and ss): what is one to any of them has one Fold. Names that are
// not text differ in every byte.
func (c *Caps) Fold(path string) string {
	if !c.Folds() || c.isFolded(path) {
		return path
	}
	names := strings.Split(path, "/")
	for i, name := range names {
		names[i] = c.foldName(name)
	}
	return strings.Join(names, "/")
}

// isFolded reports whether a look at the bytes tells that path is its own Fold.
func (c *Caps) isFolded(path string) bool {
	for i := range len(path) {
		switch b := path[i]; {
		case b >= utf8.RuneSelf, 'A' <= b && b <= 'Z', b == '.', b == ' ':
			return false
		}
	}
	return true
}

func (c *Caps) foldName(name string) string {
	if !utf8.ValidString(name) {
		return name
	}
	if c.FormInsensitive {
		name = norm.NFD.String(name)
	}
	if c.CaseInsensitive {
		name = foldCase(name)
	}
	if c.FormInsensitive { // a letter may have been folded to one that is composed
		name = norm.NFD.String(name)
	}
	if c.EndInsensitive {
		if kept := strings.TrimRight(name, ". "); kept != "" {
			name = kept
		}
	}
	return name
}

// foldCase is the full folding of Unicode, which APFS and ext4 follow, and which what exFAT, NTFS and HFS+ do is a part of.
func foldCase(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return cases.Fold().String(name)
		}
	}
	return strings.ToLower(name)
}
