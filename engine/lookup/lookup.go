// Package lookup answers what has to be known of a base beyond single entries: what is beneath a directory, what differs only in
// case, which directories are empty.
package lookup

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
		err = eachChild(reader, dirs[0], func(child string, entry *snapshot.Entry) {
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

// Forget removes from the base what the remote turned out not to hold, with everything beneath.
func Forget(j *journal.Journal, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	reader, err := j.Reader()
	if err != nil {
		return err
	}
	var fixes []journal.Refresh
	for ; len(paths) > 0 && err == nil; paths = paths[1:] {
		fixes = append(fixes, journal.Refresh{Path: paths[0]})
		err = eachChild(reader, paths[0], func(path string, _ *snapshot.Entry) { paths = append(paths, path) })
	}
	if err := errors.Join(err, reader.Close()); err != nil {
		return err
	}
	return j.Repair(fixes)
}

// eachChild calls fn for what the base holds directly in dir.
func eachChild(r snapshot.BaseReader, dir string, fn func(path string, entry *snapshot.Entry)) error {
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
