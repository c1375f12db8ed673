package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Send implements remote.Connection.
func (l *Connection) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	in, err := src.Open()
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	defer in.Close()
	_, partial := snapshot.Split(remote.PartialName(path))
	err = l.within(path, func(d *folder, name string) error {
		var err error
		if e.Kind == snapshot.Symlink && l.links {
			err = d.writeLink(partial, in)
		} else {
			err = d.writeFile(ctx, partial, in, e.Size)
		}
		if err == nil {
			err = d.setMtime(partial, e.ModTime())
		}
		if err == nil {
			err = d.rename(partial, d, name)
		}
		if err != nil {
			_ = d.removeFile(partial)
		}
		return err
	})
	return rclone.Wrap(ctx, err, "send %q", path)
}

func (d *folder) writeFile(ctx context.Context, name string, in io.Reader, size int64) error {
	f, err := d.createAnew(name)
	if err != nil {
		return err
	}
	out := &holes{f: f}
	err = reserve(f, size)
	if err == nil {
		_, err = rclone.Copy(ctx, out, in, size)
	}
	if err == nil && out.size != size {
		err = fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, out.size, size)
	}
	if err == nil {
		err = out.finish()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// createAnew makes a new file. What an interrupted Send left is removed, not written into: it could be a link to anywhere.
func (d *folder) createAnew(name string) (*os.File, error) {
	f, err := d.create(name)
	if errors.Is(err, os.ErrExist) && d.removeFile(name) == nil {
		f, err = d.create(name)
	}
	return f, err
}

// maxTarget is more than any system allows in a symbolic link.
const maxTarget = 128 << 10

func (d *folder) writeLink(name string, in io.Reader) error {
	target, err := io.ReadAll(io.LimitReader(in, maxTarget))
	if err != nil {
		return err
	}
	err = d.symlink(string(target), name)
	if errors.Is(err, os.ErrExist) && d.removeFile(name) == nil {
		err = d.symlink(string(target), name)
	}
	return err
}
