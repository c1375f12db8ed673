package database

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"zombiezen.com/go/sqlite"
)

// companions are the suffixes of what SQLite keeps beside a database.
var companions = [...]string{"-wal", "-shm", "-journal"}

// create makes an empty database at path if there is none. Only its owner may read it: names of files are private. The schema, and
// what start writes, go to a file of another name without waiting for the disk; then that file becomes durable and gets its name:
// two waits instead of nine.
//
// A crash before it has its name leaves files beginning with path.new, which the next Open removes; one right after leaves an
// empty database.
func create(path string, start func(Conn) error) error {
	if _, err := os.Lstat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fresh := path + ".new"
	if _, err := removeAll(fresh, fresh+companions[0], fresh+companions[1], fresh+companions[2]); err != nil {
		return err
	}
	// The log of a database that was removed would be taken for that of the new one.
	stale, err := removeAll(path+companions[0], path+companions[1], path+companions[2])
	if err == nil && stale {
		syncDir(path)
	}
	if err == nil {
		err = writeEmpty(fresh, start)
	}
	if err == nil {
		err = syncFile(fresh)
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		_ = os.Remove(fresh) // its room may be needed
		return err
	}
	syncDir(path)
	return nil
}

// writeEmpty makes a file that is an empty database.
func writeEmpty(path string, start func(Conn) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	c, err := connect(path, sqlite.OpenReadWrite, slices.Concat([]string{"synchronous = OFF"}, formatPragmas))
	if err != nil {
		return err
	}
	if err = migrate(c); err == nil {
		err = start(c)
	}
	return errors.Join(err, c.Close()) // which folds the log in, and removes it
}

// removeAll removes files, and reports whether there was one.
func removeAll(paths ...string) (some bool, err error) {
	for _, path := range paths {
		err := os.Remove(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return some, err
		}
		some = some || err == nil
	}
	return some, nil
}

// syncFile makes the content of a file durable.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDir makes durable which files are beside path. Not every system and file system can, which SQLite ignores as well.
func syncDir(path string) {
	if runtime.GOOS == "windows" {
		return
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}
