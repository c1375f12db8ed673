package lookup

import (
	"errors"

	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// maxListed bounds how many directories CaseVariants remembers. It is asked in path order, so that few
// are enough.
const maxListed = 1000

// CaseVariants finds what the base holds under names that differ only in case. It lists each directory of
// the base in which something is new.
type CaseVariants struct {
	caps    *remote.Caps
	base    snapshot.Base
	changes []snapshot.Change
	reader  snapshot.BaseReader // opened at the first question
	listed  map[string]*foldedDir
	err     error // the first failure; answers after it are "nothing"
}

// foldedDir is what the base holds in all directories that are one to a remote which ignores case.
type foldedDir struct {
	subs     map[string][]string      // the directories in them, by folded name
	variants map[string][]caseVariant // what is in them and not in the changes, by folded name
}

type caseVariant struct {
	path string
	snapshot.Entry
}

// NewCaseVariants returns those for a remote with these capabilities, a base and what is to become of it.
func NewCaseVariants(caps *remote.Caps, base snapshot.Base, changes []snapshot.Change) *CaseVariants {
	return &CaseVariants{caps: caps, base: base, changes: changes, listed: make(map[string]*foldedDir)}
}

// Find is plan.Input.CaseVariant.
func (t *CaseVariants) Find(path string) (string, *snapshot.Entry) {
	in, name := snapshot.Split(path)
	d := t.list(t.caps.Fold(in))
	if d == nil {
		return "", nil
	}
	last := (*caseVariant)(nil)
	for i := range d.variants[t.caps.Fold(name)] {
		switch w := &d.variants[t.caps.Fold(name)][i]; {
		case w.path == path:
		case !plan.IsRetainedFile(&w.Entry):
			return w.path, &w.Entry
		case last == nil:
			last = w
		}
	}
	if last == nil {
		return "", nil
	}
	return last.path, &last.Entry
}

// list returns what is in the directories with this folded path; nil if there are none.
func (t *CaseVariants) list(folded string) *foldedDir {
	if d, ok := t.listed[folded]; ok {
		return d
	}
	dirs := []string{""}
	if folded != "" {
		up, name := snapshot.Split(folded)
		above := t.list(up)
		if above == nil {
			return nil
		}
		dirs = above.subs[name]
	}
	var d *foldedDir
	if len(dirs) > 0 {
		d = &foldedDir{subs: make(map[string][]string), variants: make(map[string][]caseVariant)}
		for _, dir := range dirs {
			t.read(d, dir)
		}
	}
	if len(t.listed) >= maxListed {
		clear(t.listed)
	}
	t.listed[folded] = d
	return d
}

func (t *CaseVariants) read(d *foldedDir, dir string) {
	if t.err == nil && t.reader == nil {
		t.reader, t.err = t.base.Reader()
	}
	if t.err != nil {
		return
	}
	t.err = eachChild(t.reader, dir, func(path string, e *snapshot.Entry) {
		_, name := snapshot.Split(path)
		name = t.caps.Fold(name)
		if e.Kind == snapshot.Dir {
			d.subs[name] = append(d.subs[name], path)
		}
		if !plan.Changed(t.changes, path) {
			d.variants[name] = append(d.variants[name], caseVariant{path, *e})
		}
	})
}

// Close returns the first failure.
func (t *CaseVariants) Close() error {
	if t.reader == nil {
		return t.err
	}
	return errors.Join(t.err, t.reader.Close())
}
