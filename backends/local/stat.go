package local

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// missing reports that a path is not there, be it because what should be its parent is a file.
func missing(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Stat implements remote.Connection.
func (l *Connection) Stat(ctx context.Context, path string) (remote.Object, error) {
	var o remote.Object
	err := l.in(path, func(d *folder, name string) error {
		f, err := d.lstat(name)
		if err != nil {
			return err
		}
		var ok bool
		if o, ok = l.object(d, name, path, &f); !ok {
			return remote.ErrNotFound
		}
		return nil
	})
	if missing(err) {
		err = remote.ErrNotFound
	}
	return o, rclone.Wrap(ctx, err, "stat %q", path)
}

// object describes what path is, found as name in d, if it is something that can be synced.
func (l *Connection) object(d *folder, name, path string, f *found) (remote.Object, bool) {
	r := remote.Object{Path: path, Temporary: remote.IsTempName(name)}
	r.Entry = snapshot.Entry{Flags: snapshot.Adopted}
	switch f.kind {
	case 0:
		r.Entry.Kind, r.Entry.Size = snapshot.File, f.size
	case os.ModeDir:
		r.Entry.Kind, r.Temporary = snapshot.Dir, false
		return r, true
	case os.ModeSymlink:
		if !l.links {
			return r, false
		}
		r.Entry.Kind, r.Entry.Size = snapshot.Symlink, f.size
		if runtime.GOOS == "windows" {
			target, _ := d.readlink(name)
			r.Entry.Size = int64(len(target))
		}
	default:
		return r, false
	}
	r.Entry.Mtime = snapshot.Nanos(f.mtime.Truncate(l.caps.Precision))
	return r, true
}
