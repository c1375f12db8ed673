package engine

import (
	"strings"
	"unicode/utf8"
)

// twins are the entries of the base by what a remote that ignores case takes their path for: what is
// sent or moved to A meets what is still at a. nil on other remotes.
type twins map[string][]int32

// findTwins returns the twins of everything in the base that does not simply stay.
func (p *planner) findTwins() twins {
	if !p.Caps.CaseInsensitive {
		return nil
	}
	t := make(twins)
	for i := range p.Changes {
		if p.Changes[i].Old != nil && p.dest[i] != int32(i) {
			key := fold(p.Changes[i].Path)
			t[key] = append(t[key], int32(i))
		}
	}
	return t
}

func (t twins) of(path string) []int32 {
	if t == nil {
		return nil
	}
	return t[fold(path)]
}

// has reports whether anything but i itself has path for a twin.
func (t twins) has(path string, i int32) bool {
	list := t.of(path)
	return len(list) > 1 || len(list) == 1 && list[0] != i
}

// fold returns what path has in common with the paths that differ from it only in case. Names that
// are not text differ in every byte.
func fold(path string) string {
	if !utf8.ValidString(path) {
		return path
	}
	return strings.ToLower(path)
}
