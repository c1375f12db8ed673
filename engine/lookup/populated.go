package lookup

import (
	"errors"

	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/snapshot"
)

// Populated answers whether the base holds something beneath a directory that the changes do not
// mention: what is unchanged, retained, excluded or unproven stays, so the directory is not empty.
type Populated struct {
	base    snapshot.Base
	changes []snapshot.Change
	reader  snapshot.BaseReader // opened at the first question
	answers map[string]bool
	err     error // the first failure; answers after it are "yes", which deletes nothing
}

// NewPopulated returns one for a base and what is to become of it.
func NewPopulated(base snapshot.Base, changes []snapshot.Change) *Populated {
	return &Populated{base: base, changes: changes, answers: make(map[string]bool)}
}

// Close returns the first failure.
func (k *Populated) Close() error {
	if k.reader == nil {
		return k.err
	}
	return errors.Join(k.err, k.reader.Close())
}

// Beneath is plan.Input.Kept.
func (k *Populated) Beneath(dir string) bool {
	if answer, ok := k.answers[dir]; ok {
		return answer
	}
	answer := k.ask(dir)
	k.answers[dir] = answer
	return answer
}

// At is plan.Input.Outside.
func (k *Populated) At(path string) *snapshot.Entry {
	if plan.Changed(k.changes, path) || !k.open() {
		return nil
	}
	dir, name := snapshot.Split(path)
	e, err := k.reader.Find(dir, name)
	if err != nil {
		k.err = err
	}
	return e
}

// open opens the reader at the first question.
func (k *Populated) open() bool {
	if k.err == nil && k.reader == nil {
		k.reader, k.err = k.base.Reader()
	}
	return k.err == nil
}

func (k *Populated) ask(dir string) bool {
	if k.open() {
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
				if k.Beneath(sub) {
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
