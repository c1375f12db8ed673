package snapshot

import (
	"slices"
	"sort"
	"strings"
)

// Scope is a place to look at. What is there now decides what that means: nothing, and everything of
// the base at and beneath the path is absent; a file, and it alone is compared; a directory, and it
// is compared itself, and with everything beneath it if the base does not have it as a directory, or
// if Deep is set. The directories above are looked at as far as the filter, the mounts and the
// unreadable ones decide about the path; they are not reported. One of them that is no directory now,
// or that the base does not have as one, takes the place of the scope. The path of one of the filter's
// markers stands for the directory that it is in, Deep. Where case does not count, what the path leads
// to is looked at under its own name as well.
type Scope struct {
	Path string // "" is the root
	Deep bool
}

// scopes are places to look at, sorted by ComparePaths, each path once, and none beneath a Deep one.
// A part of them is a part of the slice: what leads into one directory lies together. nil is
// everything; empty is nothing.
type scopes []Scope

// arrange puts the scopes in order.
func arrange(within []Scope, markers []string) scopes {
	if within == nil {
		return nil
	}
	all := slices.Clone(within)
	for i, s := range all {
		if dir, name := Split(s.Path); slices.Contains(markers, name) {
			all[i] = Scope{dir, true}
		}
	}
	slices.SortFunc(all, func(a, b Scope) int { return ComparePaths(a.Path, b.Path) })
	kept := all[:0]
	for _, s := range all {
		var last *Scope
		if len(kept) > 0 {
			last = &kept[len(kept)-1]
		}
		switch {
		case s.Path == "" && s.Deep:
			return nil
		case s.Path == "": // it is looked at in any case, and is no entry
		case last != nil && last.Path == s.Path:
			last.Deep = last.Deep || s.Deep
		case last != nil && last.Deep && Beneath(s.Path, last.Path):
		default:
			kept = append(kept, s)
		}
	}
	return kept
}

// names returns the names in dir that lead to s, sorted. All of s lies beneath dir.
func (s scopes) names(dir string) (names []string) {
	start := 0
	if dir != "" {
		start = len(dir) + 1
	}
	last := ""
	for i := range s {
		name, _, _ := strings.Cut(s[i].Path[start:], "/")
		if name == last || name == "" || name == "." || name == ".." {
			continue
		}
		names, last = append(names, name), name
	}
	return names
}

// at returns those of s that are at path or beneath it.
func (s scopes) at(path string) scopes {
	from, _ := slices.BinarySearchFunc(s, path, func(s Scope, path string) int { return ComparePaths(s.Path, path) })
	s = s[from:]
	return s[:sort.Search(len(s), func(i int) bool { return s[i].Path != path && !Beneath(s[i].Path, path) })]
}
