package local

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"strings"
	"time"

	"github.com/rclone/rclone/lib/file"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// found is what a name in a folder stands for.
type found struct {
	kind  iofs.FileMode // its bits of type
	size  int64
	mtime time.Time
	id    identity
}

// errLink is what stands where a directory should be.
var errLink = errors.New("a symbolic link is in its place, and what that leads to is not the remote's")

// open opens the directory dir of the remote. A symbolic link beneath the root is no directory of the remote's, wherever it
// leads: somebody else's files are there, or the source itself.
func (l *Connection) open(dir string) (*folder, error) {
	d, err := openFolder(l.root, dir)
	if !errors.Is(err, errLink) {
		return d, err
	}
	for i, c := range dir + "/" {
		if c != '/' {
			continue
		}
		if info, err := os.Lstat(l.path(dir[:i])); err == nil && info.Mode()&os.ModeSymlink != 0 {
			dir = dir[:i]
			break
		}
	}
	return nil, fmt.Errorf("%w: directory %q: %w", remote.ErrPermission, dir, errLink)
}

// in has op done in the directory that path is in, by the last name of path.
func (l *Connection) in(path string, op func(d *folder, name string) error) error {
	dir, name := snapshot.Split(path)
	d, err := l.open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	return op(d, name)
}

// within is in, and makes the directory if it is missing. Asking first would cost a call per file, nearly always for
// nothing.
func (l *Connection) within(path string, op func(d *folder, name string) error) error {
	dir, name := snapshot.Split(path)
	d, err := l.open(dir)
	if errors.Is(err, os.ErrNotExist) {
		if err = l.makeDir(dir); err == nil {
			d, err = l.open(dir)
		}
	}
	if err != nil {
		return err
	}
	defer d.close()
	return op(d, name)
}

// makeDir makes sure that the directory dir exists, parents included, if the root is where it was.
func (l *Connection) makeDir(dir string) error {
	if err := l.present(); err != nil {
		return err
	}
	d, err := l.open(dir)
	if err == nil {
		d.close()
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := file.MkdirAll(l.root, 0o777); err != nil {
		return err
	}
	for done, rest := "", dir; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		done = snapshot.Join(done, name)
		if err := l.in(done, (*folder).mkdir); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}
