package local

import (
	"context"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Hash implements remote.Connection.
func (l *Connection) Hash(ctx context.Context, path string, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	t, h, err := l.hash(ctx, path, want)
	if missing(err) {
		err = fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	if err != nil {
		return snapshot.NoHash, snapshot.Hash{}, rclone.Wrap(ctx, err, "hash %q", path)
	}
	return t, h, nil
}

func (l *Connection) hash(ctx context.Context, path string, want snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, err error) {
	err = l.in(path, func(d *folder, name string) error {
		f, err := d.lstat(name)
		if err != nil {
			return err
		}
		o, ok := l.object(d, name, path, &f)
		if !ok || o.Entry.Kind == snapshot.Dir {
			return remote.ErrNotFound
		}
		if o.Entry.Kind == snapshot.Symlink {
			target, err := d.readlink(name)
			if err == nil {
				t, h, _, err = rclone.HashStream(ctx, strings.NewReader(target), want)
			}
			return err
		}
		in, err := d.read(name)
		if err != nil {
			return err
		}
		defer in.Close()
		t, h, _, err = rclone.HashStream(ctx, in, want)
		return err
	})
	return t, h, err
}
