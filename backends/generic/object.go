package generic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// remote translates one entry of a listing; nil for one that is not the engine's business.
func (g *Connection) remote(ctx context.Context, e fs.DirEntry) (*remote.Object, error) {
	name := e.Remote()
	if g.isHidden(name) {
		return nil, nil
	}
	o, isFile := e.(fs.Object)
	kind := snapshot.Dir
	if isFile {
		kind = snapshot.File
		if link, ok := rclone.TrimLink(name); ok && g.cfg.Rclone.Links {
			name, kind = link, snapshot.Symlink
		}
		if o.Size() < 0 || g.isBackup(name) {
			return nil, nil // no file of ours: a document without bytes, or set aside by Backup
		}
	}
	path, err := rclone.Decode(name)
	if err != nil {
		g.log.Warn("the remote has a name that no local file can have; it is left alone", "name", name)
		return nil, nil
	}
	_, last := snapshot.Split(path)
	r := &remote.Object{Path: path, Entry: snapshot.Entry{Kind: kind, Flags: snapshot.Adopted}}
	if isFile {
		r.Temporary = remote.IsTempName(last)
		err = g.describe(ctx, o, r)
	}
	return r, err
}

// describe fills in what a listing says of a file. Where the mtime costs a request (S3), a file
// whose hash was listed is recognised by that, and its Mtime stays 0: not known.
func (g *Connection) describe(ctx context.Context, o fs.Object, r *remote.Object) error {
	e := &r.Entry
	e.Size = o.Size()
	if g.hash != hash.None {
		sum, err := o.Hash(ctx, g.hash)
		if err != nil && !errors.Is(err, hash.ErrUnsupported) {
			return fmt.Errorf("hash of %q: %w", r.Path, err)
		}
		e.HashType, e.Hash = rclone.ParseHash(g.caps.Hash, sum)
	}
	if g.f.Features().SlowModTime && e.HashType != snapshot.NoHash {
		return nil
	}
	mtime := o.ModTime(ctx)
	if g.caps.Precision == 0 {
		r.Uploaded = mtime
	}
	e.Mtime = mtime.Truncate(max(g.caps.Precision, time.Nanosecond)).UnixNano()
	return nil
}
