//go:build !linux

package watch

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lister reads one directory after the other.
type lister struct{ dir *os.File }

// open opens the directory path and says which one that is. If follow is set, path may be a symbolic link.
func (l *lister) open(path string, follow bool) (fileID, error) {
	stat := os.Lstat
	if follow {
		stat = os.Stat
	}
	fi, err := stat(path)
	if err != nil {
		return fileID{}, err
	}
	if !fi.IsDir() {
		return fileID{}, &os.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	l.dir, err = os.Open(path)
	if err != nil {
		return fileID{}, err
	}
	return idOf(fi), nil
}

// directories calls found for each directory in the open one.
func (l *lister) directories(found func(name string)) error {
	for {
		entries, err := l.dir.ReadDir(1024)
		for _, e := range entries {
			if e.IsDir() {
				found(e.Name())
			}
		}
		if errors.Is(err, io.EOF) || err == nil && len(entries) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tells reports whether the file system of the open directory tells what happens there. Nothing is known of that on
// this system; the canary finds out.
func (l *lister) tells() bool { return true }

func (l *lister) close() {
	l.dir.Close()
	l.dir = nil
}
