package generic

import (
	"context"
	"errors"
	"fmt"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/accounting"

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

// beneathFile turns err, which a look at path gave, into "not found" if the parent is a file. Some servers have odd
// words for that, such as Apache's "400 Bad Request".
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

// List implements remote.Connection. Remotes that can list everything at once do; others are walked,
// several directories at a time.
func (g *Connection) List(ctx context.Context, fn func(remote.Object) error) error {
	err := g.do(ctx, func(ctx context.Context) error {
		ctx = accounting.WithStatsGroup(ctx, fmt.Sprintf("snapsync/list/%d", listings.Add(1)))
		l := &listing{g: g, fn: fn, seen: map[string]bool{}}
		var err error
		if listR := g.f.Features().ListR; listR != nil {
			err = listR(ctx, "", func(entries fs.DirEntries) error { return l.add(ctx, entries) })
			if isMissingRoot(err) && !l.rootIsMissing(ctx) {
				err = fmt.Errorf("%w: %w", errVanished, err)
			}
		} else {
			err = l.walk(ctx)
		}
		if err == nil {
			// Some errors rclone only counts: an unreadable directory on a local disk looks empty.
			err = accounting.Stats(ctx).GetLastError()
		}
		return err
	})
	if err != nil && !isMissingRoot(err) {
		return fmt.Errorf("list remote: %w", err)
	}
	return nil
}

// Hash implements remote.Connection. The file is read through the network only if the remote neither has a hash nor
// computes one.
func (g *Connection) Hash(ctx context.Context, path string, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	var (
		t snapshot.HashType
		h snapshot.Hash
	)
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.object(ctx, path)
		if errors.Is(err, fs.ErrorIsDir) {
			return fmt.Errorf("%w: %w", remote.ErrNotFound, err)
		} else if err != nil {
			return g.beneathFile(ctx, path, err)
		}
		if t, h, err = g.ownHash(ctx, o, want); err != nil || t != snapshot.NoHash {
			return err
		}
		t, h, err = download(ctx, o, want)
		return err
	})
	if err != nil {
		return snapshot.NoHash, snapshot.Hash{}, fmt.Errorf("hash %q: %w", path, err)
	}
	return t, h, nil
}
