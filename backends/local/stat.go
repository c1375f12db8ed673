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
	info, err := os.Lstat(l.path(path))
	if missing(err) {
		err = remote.ErrNotFound
	}
	if err == nil {
		if r, ok := l.remote(path, info); ok {
			return r, nil
		}
		err = remote.ErrNotFound
	}
	return remote.Object{}, rclone.Wrap(ctx, err, "stat %q", path)
}

// remote describes what is at path, if it is something that can be synced.
func (l *Connection) remote(path string, info os.FileInfo) (remote.Object, bool) {
	_, name := snapshot.Split(path)
	r := remote.Object{Path: path, Temporary: remote.IsTempName(name)}
	r.Entry = snapshot.Entry{Flags: snapshot.Adopted}
	switch info.Mode().Type() {
	case 0:
		r.Entry.Kind, r.Entry.Size = snapshot.File, info.Size()
	case os.ModeDir:
		r.Entry.Kind, r.Temporary = snapshot.Dir, false
		return r, true
	case os.ModeSymlink:
		if !l.links {
			return r, false
		}
		r.Entry.Kind, r.Entry.Size = snapshot.Symlink, info.Size()
		if runtime.GOOS == "windows" {
			target, _ := os.Readlink(l.path(path))
			r.Entry.Size = int64(len(target))
		}
	default:
		return r, false
	}
	r.Entry.Mtime = snapshot.Nanos(info.ModTime().Truncate(l.caps.Precision))
	return r, true
}
