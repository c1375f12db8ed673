package engine

import (
	"context"
	"maps"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// wantEmptyDirs makes turning on --create-empty-src-dirs count for what is already known. Without it
// the base has directories that hold no files as identities only: they are forgotten once, and so
// planned as new. A crash in between does it again.
func (r *run) wantEmptyDirs(ctx context.Context) error {
	if r.cfg.EmptyDirs == r.state.EmptyDirs {
		return nil
	}
	if r.cfg.EmptyDirs {
		if r.caps != (remote.Caps{}) && !r.caps.EmptyDirs {
			r.cfg.Log.Warn("this remote cannot hold empty directories: --create-empty-src-dirs does nothing there")
		}
		if err := forgetEmptyDirs(ctx, r.cfg.Journal); err != nil {
			return err
		}
	}
	r.state.EmptyDirs = r.cfg.EmptyDirs
	return r.save()
}

func forgetEmptyDirs(ctx context.Context, j *journal.Journal) error {
	empty, err := emptyDirs(ctx, j)
	if err != nil || len(empty) == 0 {
		return err
	}
	fixes := make([]journal.Refresh, 0, len(empty))
	for path := range empty {
		fixes = append(fixes, journal.Refresh{Path: path})
	}
	return j.Repair(fixes)
}

// emptyDirs returns the directories of the base that hold nothing, but those that a listing has shown.
func emptyDirs(ctx context.Context, j *journal.Journal) (map[string]bool, error) {
	empty := make(map[string]bool)
	holds := make(map[string]bool)
	err := j.Walk(ctx, func(path string, entry *snapshot.Entry) error {
		if entry.Kind == snapshot.Dir && !entry.Flags.Has(snapshot.Adopted) {
			empty[path] = true
		}
		dir, _ := snapshot.Split(path)
		holds[dir] = true
		return nil
	})
	maps.DeleteFunc(empty, func(path string, _ bool) bool { return holds[path] })
	return empty, err
}

// baseToBe is the base as wantEmptyDirs would leave it, without writing anything.
func (r *run) baseToBe(ctx context.Context) (snapshot.Base, error) {
	if !r.cfg.EmptyDirs || r.state.EmptyDirs {
		return r.cfg.Journal, nil
	}
	forgotten, err := emptyDirs(ctx, r.cfg.Journal)
	if err != nil || len(forgotten) == 0 {
		return r.cfg.Journal, err
	}
	return without{r.cfg.Journal, forgotten}, nil
}

// without is a base that lacks some paths.
type without struct {
	snapshot.Base
	paths map[string]bool
}

// Reader implements snapshot.Base.
func (b without) Reader() (snapshot.BaseReader, error) {
	r, err := b.Base.Reader()
	return &readerWithout{BaseReader: r, paths: b.paths}, err
}

type readerWithout struct {
	snapshot.BaseReader
	paths map[string]bool
	dir   string // that is open
}

// Open implements snapshot.BaseReader.
func (r *readerWithout) Open(dir string) error {
	r.dir = dir
	return r.BaseReader.Open(dir)
}

// Next implements snapshot.BaseReader.
func (r *readerWithout) Next() (name []byte, e *snapshot.Entry, err error) {
	for {
		name, e, err = r.BaseReader.Next()
		if err != nil || name == nil || e.Kind != snapshot.Dir || !r.paths[snapshot.Join(r.dir, string(name))] {
			return name, e, err
		}
	}
}

// Find implements snapshot.BaseReader.
func (r *readerWithout) Find(dir, name string) (*snapshot.Entry, error) {
	e, err := r.BaseReader.Find(dir, name)
	if err != nil || e == nil || e.Kind == snapshot.Dir && r.paths[snapshot.Join(dir, name)] {
		return nil, err
	}
	return e, nil
}
