package lookup

import (
	"context"
	"maps"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// ForgetEmptyDirs removes the directories that EmptyDirs returns.
func ForgetEmptyDirs(ctx context.Context, j *journal.Journal) error {
	empty, err := EmptyDirs(ctx, j)
	if err != nil || len(empty) == 0 {
		return err
	}
	fixes := make([]journal.Refresh, 0, len(empty))
	for path := range empty {
		fixes = append(fixes, journal.Refresh{Path: path})
	}
	return j.Repair(fixes)
}

// EmptyDirs returns the directories of the base that hold nothing, but those that a listing has shown.
func EmptyDirs(ctx context.Context, j *journal.Journal) (map[string]bool, error) {
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

// Without is a base that lacks some directories.
type Without struct {
	snapshot.Base
	Dirs map[string]bool
}

// Reader implements snapshot.Base.
func (b Without) Reader() (snapshot.BaseReader, error) {
	r, err := b.Base.Reader()
	return &readerWithout{BaseReader: r, paths: b.Dirs}, err
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
