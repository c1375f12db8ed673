package engine

import (
	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/snapshot"
)

// populated answers whether the base holds something at a path, or beneath it, that the changes do not
// mention: what is unchanged, retained, excluded or unproven stays, so a directory there is not empty.
type populated struct {
	base    snapshot.Base
	changes []snapshot.Change
	reader  snapshot.BaseReader // opened at the first question
	answers map[string]bool
	err     error // the first failure; answers after it are "yes", which deletes nothing
}

func newPopulated(base snapshot.Base, changes []snapshot.Change) *populated {
	return &populated{base: base, changes: changes, answers: make(map[string]bool)}
}

func (k *populated) close() error {
	if k.reader == nil {
		return nil
	}
	return k.reader.Close()
}

func (k *populated) at(path string) bool {
	if answer, ok := k.answers[path]; ok {
		return answer
	}
	if k.err == nil && k.reader == nil {
		k.reader, k.err = k.base.Reader()
	}
	var entry *snapshot.Entry
	if k.err == nil && !plan.Changed(k.changes, path) {
		entry, k.err = k.reader.Find(snapshot.Split(path))
	}
	answer := entry != nil || k.beneath(path)
	k.answers[path] = answer
	return answer
}

func (k *populated) beneath(dir string) bool {
	if k.err == nil {
		k.err = k.reader.Open(dir)
	}
	var subdirs []string
	for k.err == nil {
		name, entry, err := k.reader.Next()
		if err != nil {
			k.err = err
			break
		}
		if name == nil {
			for _, sub := range subdirs {
				if k.at(sub) {
					return true
				}
			}
			return false
		}
		path := snapshot.Join(dir, string(name))
		if !plan.Changed(k.changes, path) {
			return true
		}
		if entry.Kind == snapshot.Dir {
			subdirs = append(subdirs, path)
		}
	}
	return true
}
