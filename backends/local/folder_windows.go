package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// folder is an open directory of the remote. What is done in it by name reaches nothing else, whatever becomes of its path;
// only a rename, for which the system wants two paths, looks at both just before.
type folder struct {
	root *os.Root
	path string
}

// identity tells whether two names stand for one file.
type identity struct{ info os.FileInfo }

func (f *found) same(other *found) bool { return os.SameFile(f.id.info, other.id.info) }

// openFolder opens dir beneath root, or says errLink if there is a symbolic link or a junction on the way.
func openFolder(root, dir string) (*folder, error) {
	at, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	for name, rest := "", dir; rest != ""; {
		name, rest, _ = strings.Cut(rest, "/")
		next, err := passTo(at, name)
		at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return &folder{at, filepath.Join(root, filepath.FromSlash(dir))}, nil
}

func passTo(at *os.Root, name string) (*os.Root, error) {
	seen, err := at.Lstat(name)
	if err != nil {
		return nil, err
	}
	if seen.Mode()&(os.ModeSymlink|os.ModeIrregular) != 0 {
		return nil, errLink
	}
	next, err := at.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if now, err := next.Stat("."); err != nil || !os.SameFile(seen, now) {
		next.Close()
		return nil, errors.Join(errLink, err)
	}
	return next, nil
}

func (d *folder) close() { d.root.Close() }

func (d *folder) lstat(name string) (f found, err error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return f, err
	}
	return found{kind: info.Mode().Type(), size: info.Size(), mtime: info.ModTime(), id: identity{info}}, nil
}

// list returns the names in the directory.
func (d *folder) list() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// read opens a file to be read.
func (d *folder) read(name string) (*os.File, error) { return d.root.Open(name) }

// create makes a file that must not exist.
func (d *folder) create(name string) (*os.File, error) {
	return d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

func (d *folder) readlink(name string) (string, error) { return d.root.Readlink(name) }

func (d *folder) symlink(target, name string) error { return d.root.Symlink(target, name) }

func (d *folder) mkdir(name string) error { return d.root.Mkdir(name, 0o777) }

func (d *folder) rename(name string, to *folder, target string) error {
	return os.Rename(filepath.Join(d.path, name), filepath.Join(to.path, target))
}

// setMtime sets the mtime, and the atime with it as rclone does. A link keeps the time at which it
// was made: Windows gives no simple way to change it.
func (d *folder) setMtime(name string, mtime time.Time) error {
	f, err := d.lstat(name)
	if err != nil || f.kind&os.ModeSymlink != 0 {
		return err
	}
	return d.root.Chtimes(name, mtime, mtime)
}

// removeFile removes anything but a directory, read-only files included.
func (d *folder) removeFile(name string) error {
	f, err := d.lstat(name)
	if err != nil {
		return err
	}
	if f.kind.IsDir() {
		return &os.PathError{Op: "remove", Path: filepath.Join(d.path, name), Err: fmt.Errorf("is a directory")}
	}
	return os.Remove(filepath.Join(d.path, name)) // os.Root refuses read-only files
}

// removeDir removes an empty directory, and nothing else.
func (d *folder) removeDir(name string) error {
	f, err := d.lstat(name)
	if err != nil {
		return err
	}
	if !f.kind.IsDir() {
		return &os.PathError{Op: "rmdir", Path: filepath.Join(d.path, name), Err: fmt.Errorf("not a directory")}
	}
	path := filepath.Join(d.path, name)
	if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 {
		return &os.PathError{Op: "rmdir", Path: path, Err: remote.ErrNotEmpty}
	}
	return d.root.Remove(name)
}
