package watch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// root is the directory that is watched. Only id changes, in the goroutine that sets up the watch.
type root struct {
	path   string // absolute
	prefix string // of every absolute path beneath
	skip   func(dir string) bool
	id     fileID // which directory is watched
}

// relative returns the path of a hint for an absolute path; false: the path is not beneath the root.
func (r *root) relative(path string) (string, bool) {
	if path == r.path {
		return "", true
	}
	if !strings.HasPrefix(path, r.prefix) {
		return "", false
	}
	return filepath.ToSlash(path[len(r.prefix):]), true
}

// skipped reports whether the directory is excluded.
func (r *root) skipped(path string) bool {
	if r.skip == nil || path == r.path {
		return false
	}
	rel, ok := r.relative(path)
	return ok && r.skip(rel)
}

// identity returns which directory the root is now. It fails if the root is none.
func (r *root) identity() (fileID, error) {
	fi, err := os.Stat(r.path)
	if err != nil {
		return fileID{}, err
	}
	if !fi.IsDir() {
		return fileID{}, &os.PathError{Op: "open", Path: r.path, Err: syscall.ENOTDIR}
	}
	return idOf(fi), nil
}
