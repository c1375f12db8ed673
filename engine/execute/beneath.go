package execute

import (
	"errors"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// AnyFile returns some file that the base holds beneath dir; nil if there is none.
func AnyFile(j *journal.Journal, dir string) (path string, file *snapshot.Entry, err error) {
	reader, err := j.Reader()
	if err != nil {
		return "", nil, err
	}
	for dirs := []string{dir}; len(dirs) > 0 && file == nil && err == nil; dirs = dirs[1:] {
		err = EachChild(reader, dirs[0], func(child string, entry *snapshot.Entry) {
			if entry.Kind == snapshot.Dir {
				dirs = append(dirs, child)
			} else if file == nil {
				found := *entry
				path, file = child, &found
			}
		})
	}
	return path, file, errors.Join(err, reader.Close())
}

// EachChild calls fn for what the base holds directly in dir.
func EachChild(r snapshot.BaseReader, dir string, fn func(path string, entry *snapshot.Entry)) error {
	if err := r.Open(dir); err != nil {
		return err
	}
	for {
		name, entry, err := r.Next()
		if err != nil || name == nil {
			return err
		}
		fn(snapshot.Join(dir, string(name)), entry)
	}
}
