package generic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"
	"github.com/rclone/rclone/fs/object"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Send implements remote.Connection.
//
// Parents are not made first: rclone requires of every backend that Put and Move make them.
//
// A crash before the rename leaves the temporary name, after it nothing: the next Send of the path
// writes over it.
func (g *Connection) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	in, err := src.Open()
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	// rclone's sftp finds out its hashes at the first call, without a lock; also beneath an overlay.
	g.warm.Do(func() { fs.UnWrapFs(g.f).Hashes() })
	t := newTap(ctx, in, g.hash)
	err = g.do(ctx, func(ctx context.Context) error { return g.send(ctx, path, e, t) })
	if cerr := t.Close(); cerr != nil && err == nil {
		err = cerr
	}
	if torn := t.failure(); torn != nil && err != nil {
		err = torn // what the backend made of it says less
	}
	// These two classes say that the old content, or nothing, is at path. Here a server that publishes
	// what it got of a request may have put a part there, see readAhead: the cause stays as text only.
	if g.exposed(e, t) && (errors.Is(err, snapshot.ErrChanged) || errors.Is(err, remote.ErrQuota)) {
		err = fmt.Errorf("broke off, and the remote may show a part of it: %v", err)
	}
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	return nil
}

func (g *Connection) send(ctx context.Context, path string, e snapshot.Entry, t *tap) error {
	if err := g.possible(path); err != nil {
		return err
	}
	final := rclone.RemoteName(path, e.Kind)
	name := final
	// rclone's local backend makes a real link of NAME.rclonelink, at once and whole.
	if g.partial && !(e.Kind == snapshot.Symlink && g.local) {
		name = rclone.Encode(remote.PartialName(path))
	}
	o, err := g.upload(ctx, path, name, e, t)
	arrived := err == nil
	if arrived {
		err = g.verify(ctx, o, e, t)
	}
	if err == nil && name != final {
		_, err = g.replace(ctx, g.f, o, final, g.f.Features().Move)
		// The rename may have happened: o, where a remote knows files by number, is the new file then.
		o = nil
	}
	// At the final name only what this upload made, and what verify refused, may be removed: after a
	// failed upload the old content is there still.
	if err != nil && (arrived || name != final) && !errors.Is(rclone.Classify(ctx, err), remote.ErrOffline) {
		g.discard(ctx, o, name)
	}
	return err
}

// upload puts the content at name. Where that is the final name, a small file is read before the
// request is begun: so a source that fails has no effect at all, and the remote gets the hash first,
// with which it can refuse what does not arrive whole.
func (g *Connection) upload(ctx context.Context, path, name string, e snapshot.Entry, t *tap) (fs.Object, error) {
	info, err := g.info(ctx, path, name, e)
	if err != nil {
		return nil, err
	}
	if g.partial || e.Size > readAhead {
		return g.put(ctx, t, info)
	}
	content, err := io.ReadAll(t)
	if err != nil {
		return nil, err
	}
	if int64(len(content)) != e.Size {
		return nil, fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, len(content), e.Size)
	}
	if t.hash != nil {
		sum, err := t.sum(g.hash)
		if err != nil {
			return nil, err
		}
		info = known{info, g.hash, sum}
	}
	return g.put(ctx, bytes.NewReader(content), info)
}

// readAhead is the size up to which a file is read before its upload begins, once per transfer.
//
// Beyond it, what happens to a PUT that breaks off is up to the server. It must drop it (RFC 9112,
// section 8), and S3 does; versitygw 1.8 publishes the part, which the next Send then replaces.
// There is no telling such a part from the old content, so nothing is removed.
const readAhead = 8 << 20

// exposed reports that content went straight to its final name, without being read ahead. While
// nothing of it was asked for, the request cannot have begun.
func (g *Connection) exposed(e snapshot.Entry, t *tap) bool {
	return !g.partial && e.Size > readAhead && t.wasRead()
}

// known is an ObjectInfo whose hash is known already.
type known struct {
	fs.ObjectInfo
	t   hash.Type
	sum string
}

func (k known) Hash(ctx context.Context, t hash.Type) (string, error) {
	if t == k.t {
		return k.sum, nil
	}
	return k.ObjectInfo.Hash(ctx, t)
}

// Metadata implements fs.Metadataer, which embedding hides.
func (k known) Metadata(ctx context.Context) (fs.Metadata, error) {
	if m, ok := k.ObjectInfo.(fs.Metadataer); ok {
		return m.Metadata(ctx)
	}
	return nil, nil
}

// info describes what is sent, under the name that the remote is to give it.
func (g *Connection) info(ctx context.Context, path, name string, e snapshot.Entry) (fs.ObjectInfo, error) {
	info := object.NewStaticObjectInfo(name, e.ModTime(), e.Size, true, nil, g.f)
	if !g.caps.Metadata {
		return info, nil
	}
	meta, err := g.metadata(ctx, path, e.Kind)
	if err != nil {
		return nil, err
	}
	return info.WithMetadata(meta), nil
}

// put uploads, and updates in place where a second file of the same name could appear beside.
func (g *Connection) put(ctx context.Context, in io.Reader, info fs.ObjectInfo) (fs.Object, error) {
	if g.dups {
		old, err := g.f.NewObject(ctx, info.Remote())
		if err == nil {
			return old, old.Update(ctx, in, info)
		} else if !gone(ctx, err) {
			return nil, err
		}
	}
	return g.f.Put(ctx, in, info)
}

// verify compares what arrived with what was sent. The answer is in the object that Put returned;
// a remote that would have to be asked again is believed.
func (g *Connection) verify(ctx context.Context, o fs.Object, e snapshot.Entry, t *tap) error {
	if size := o.Size(); size >= 0 && size != e.Size {
		return fmt.Errorf("%w: %d bytes arrived of %d", remote.ErrTemporary, size, e.Size)
	}
	if t.hash == nil {
		return nil
	}
	want, err := t.sum(g.hash)
	if err != nil {
		return err
	}
	got, err := o.Hash(ctx, g.hash)
	if err != nil || got == "" {
		return nil // such as a multipart upload to S3
	}
	if got != want {
		return fmt.Errorf("%w: the content arrived damaged: %v is %s instead of %s", remote.ErrTemporary, g.hash, got, want)
	}
	return nil
}

// discardTimeout bounds discard: the error of the upload is waited for.
const discardTimeout = 2 * time.Second

// discard removes what a failed upload left, if it can do so soon; else Cleanup does it later.
func (g *Connection) discard(ctx context.Context, o fs.Object, name string) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, discardTimeout)
	defer cancel()
	if err := g.run(ctx, func(ctx context.Context) error { return g.remove(ctx, o, name) }); err != nil {
		g.log.Debug("cannot remove a failed upload", "name", name, "err", err)
	}
}

// remove removes o, or if that is nil what is at name.
func (g *Connection) remove(ctx context.Context, o fs.Object, name string) error {
	if o == nil {
		var err error
		if o, err = g.f.NewObject(ctx, name); gone(ctx, err) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return o.Remove(ctx)
}
