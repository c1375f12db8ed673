package local

import (
	"context"
	"fmt"
	"os"
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
	info, err := os.Lstat(l.path(path))
	if err != nil {
		return t, h, err
	}
	r, ok := l.remote(path, info)
	if !ok || r.Entry.Kind == snapshot.Dir {
		return t, h, remote.ErrNotFound
	}
	if r.Entry.Kind == snapshot.Symlink {
		target, err := os.Readlink(l.path(path))
		if err != nil {
			return t, h, err
		}
		t, h, _, err = rclone.HashStream(ctx, strings.NewReader(target), want)
		return t, h, err
	}
	f, err := os.Open(l.path(path))
	if err != nil {
		return t, h, err
	}
	defer f.Close()
	t, h, _, err = rclone.HashStream(ctx, f, want)
	return t, h, err
}
