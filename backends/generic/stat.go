package generic

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Stat implements remote.Connection.
func (g *Connection) Stat(ctx context.Context, path string) (remote.Object, error) {
	var found remote.Object
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.object(ctx, path)
		if err == nil {
			return g.statFile(ctx, o, path, &found)
		}
		if g.caps.BucketBased || !gone(ctx, err) && !errors.Is(err, fs.ErrorIsDir) {
			return g.beneathFile(ctx, path, err)
		}
		if _, listErr := g.f.List(ctx, rclone.Encode(path)); listErr != nil && gone(ctx, listErr) {
			return fmt.Errorf("%w: %w", remote.ErrNotFound, listErr)
		} else if listErr != nil {
			return listErr
		}
		found = remote.Object{Path: path, Entry: snapshot.Entry{Kind: snapshot.Dir, Flags: snapshot.Adopted}}
		return nil
	})
	if err != nil {
		return remote.Object{}, fmt.Errorf("stat %q: %w", path, err)
	}
	return found, nil
}

// beneathFile turns err, which looking at path gave, into "not found" if the parent is a file: some
// servers have odd words for that, such as Apache's "400 Bad Request".
func (g *Connection) beneathFile(ctx context.Context, path string, err error) error {
	parent, _ := snapshot.Split(path)
	if g.caps.BucketBased || parent == "" || rclone.ClassOf(err) != nil {
		return err
	}
	if _, fileErr := g.object(ctx, parent); fileErr != nil {
		return err
	}
	return fmt.Errorf("%w: %q is a file", remote.ErrNotFound, parent)
}

func (g *Connection) statFile(ctx context.Context, o fs.Object, path string, r *remote.Object) error {
	_, last := snapshot.Split(path)
	*r = remote.Object{Path: path, Temporary: remote.IsTempName(last)}
	r.Entry = snapshot.Entry{Kind: snapshot.File, Flags: snapshot.Adopted}
	if o.Remote() != rclone.Encode(path) {
		r.Entry.Kind = snapshot.Symlink
	}
	if err := g.describe(ctx, o, r); err != nil {
		return err
	}
	if g.caps.Precision > 0 && r.Entry.Mtime == 0 { // one request is fine here
		r.Entry.Mtime = o.ModTime(ctx).Truncate(g.caps.Precision).UnixNano()
	}
	return nil
}

// object finds the file or symbolic link at path. With --links a path may be either.
func (g *Connection) object(ctx context.Context, path string) (fs.Object, error) {
	o, err := g.f.NewObject(ctx, rclone.Encode(path))
	if g.cfg.Rclone.Links && gone(ctx, err) {
		o, err = g.f.NewObject(ctx, rclone.RemoteName(path, snapshot.Symlink))
	}
	if err != nil && gone(ctx, err) {
		return nil, fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return o, err
}

// gone reports whether a look at a path failed because there is nothing, be it that what should be
// a parent is a file.
func gone(ctx context.Context, err error) bool {
	return errors.Is(rclone.Classify(ctx, err), remote.ErrNotFound) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrorIsFile)
}
