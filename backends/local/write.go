package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rclone/rclone/lib/file"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Send implements remote.Connection.
func (l *Connection) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	final, partial := l.path(path), l.path(remote.PartialName(path))
	in, err := src.Open()
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	defer in.Close()
	if e.Kind == snapshot.Symlink && l.links {
		err = l.writeLink(partial, in)
	} else {
		err = l.writeFile(ctx, partial, in, e.Size)
	}
	if err == nil {
		err = setMtime(partial, e.ModTime())
	}
	if err == nil {
		err = os.Rename(partial, final)
	}
	if err != nil {
		_ = os.Remove(partial)
	}
	return rclone.Wrap(ctx, err, "send %q", path)
}

// preallocateFrom is the size from which reserving the space pays, as it keeps large files whole.
const preallocateFrom = 1 << 20

func (l *Connection) writeFile(ctx context.Context, name string, in io.Reader, size int64) error {
	f, err := l.create(name)
	if err != nil {
		return err
	}
	// Reserving leaves the file's size alone: rclone uses FALLOC_FL_KEEP_SIZE on Linux, sets the allocation on Windows, and
	// does nothing elsewhere. Otherwise a power cut could leave zeros of the right size.
	if size >= preallocateFrom {
		if err := file.PreAllocate(size, f); errors.Is(err, file.ErrDiskFull) {
			return errors.Join(fmt.Errorf("%w: %w", remote.ErrQuota, err), f.Close())
		}
	}
	n, err := rclone.Copy(ctx, f, in, size)
	if err == nil && n != size {
		err = fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, n, size)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// create makes a new file. What an interrupted Send left is removed, not written into: it could be a link to anywhere.
func (l *Connection) create(name string) (f *os.File, err error) {
	err = l.within(name, func() error {
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, os.ErrExist) && os.Remove(name) == nil {
			f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		}
		return err
	})
	return f, err
}

// maxTarget is more than any system allows in a symbolic link.
const maxTarget = 128 << 10

func (l *Connection) writeLink(name string, in io.Reader) error {
	target, err := io.ReadAll(io.LimitReader(in, maxTarget))
	if err != nil {
		return err
	}
	return l.within(name, func() error {
		err := os.Symlink(string(target), name)
		if errors.Is(err, os.ErrExist) && os.Remove(name) == nil {
			err = os.Symlink(string(target), name)
		}
		return err
	})
}
