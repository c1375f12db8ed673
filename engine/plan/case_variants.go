package plan

import "github.com/snapsync/snapsync/engine/remote"

// caseVariants are the entries of the base by their folded path. What is sent or moved to A meets what is still at a, on
// a remote that ignores case; nil on other remotes.
type caseVariants struct {
	caps *remote.Caps
	at   map[string][]int32
}

// findCaseVariants returns everything in the base that does not simply stay: at its path, and at the one where its
// directory takes it.
func (p *pairs) findCaseVariants() *caseVariants {
	if !p.Caps.Folds() {
		return nil
	}
	t := &caseVariants{caps: &p.Caps, at: make(map[string][]int32)}
	for i := range p.size() {
		if p.old(i) == nil {
			continue
		}
		up := p.carried(i)
		if p.dest[i] == i && up == none {
			continue
		}
		t.add(p.path(i), i)
		if up != none {
			if path := p.path(p.dest[up]) + p.path(i)[len(p.path(up)):]; p.dest[i] == none || p.path(p.dest[i]) != path {
				t.add(path, i)
			}
		}
	}
	return t
}

func (t *caseVariants) add(path string, i int32) {
	key := t.caps.Fold(path)
	t.at[key] = append(t.at[key], i)
}

func (t *caseVariants) of(path string) []int32 {
	if t == nil {
		return nil // spare the folding
	}
	return t.at[t.caps.Fold(path)]
}

// has reports whether anything but i itself has a path that differs from path only in case.
func (t *caseVariants) has(path string, i int32) bool {
	list := t.of(path)
	return len(list) > 1 || len(list) == 1 && list[0] != i
}
