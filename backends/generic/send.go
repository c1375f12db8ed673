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
// A crash before the rename leaves the temporary name, over which the next Send of the path writes.
func (g *Connection) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	in, err := src.Open()
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	// rclone's sftp finds out its hashes at the first call, without a lock; also beneath an overlay.
	g.warm.Do(func() { fs.UnWrapFs(g.f).Hashes() })
	t := &tap{ctx: ctx, in: in}
	if g.hash != hash.None {
		t.hash, _ = hash.NewMultiHasherTypes(hash.NewHashSet(g.hash))
	}
	s := &sending{Connection: g, path: path, entry: e, tap: t}
	err = g.do(ctx, s.perform)
	if cerr := t.Close(); cerr != nil && err == nil {
		err = cerr
	}
	// It is closed, and so nobody changes what it says.
	if t.err != nil && err != nil {
		err = t.err // what the backend made of it says less
	}
	// These two classes promise that the old content, or nothing, is at path. A server that publishes what it got of
	// a request may have put a part there, see readAhead: so the cause stays as text only.
	exposed := !g.partial && e.Size > readAhead && t.begun
	if exposed && (errors.Is(err, snapshot.ErrChanged) || errors.Is(err, remote.ErrQuota)) {
		err = fmt.Errorf("broke off, and the remote may show a part of it: %v", err)
	}
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	return nil
}

// sending is one Send under way.
type sending struct {
	*Connection
	path  string
	entry snapshot.Entry
	tap   *tap
}

func (s *sending) perform(ctx context.Context) error {
	if err := s.possible(s.path); err != nil {
		return err
	}
	final := rclone.RemoteName(s.path, s.entry.Kind)
	name := final
	// rclone's local backend makes a real link of NAME.rclonelink, at once and whole.
	if s.partial && !(s.entry.Kind == snapshot.Symlink && s.local) {
		name = rclone.Encode(remote.PartialName(s.path))
	}
	o, err := s.upload(ctx, name)
	arrived := err == nil
	if arrived {
		err = s.verify(ctx, o)
	}
	if err == nil && name != final {
		_, err = s.replace(ctx, s.f, o, final, s.f.Features().Move)
		// The rename may have happened. Where a remote knows files by number, o is the new file then.
		o = nil
	}
	if err == nil { // rclone's move has set the mode once more
		s.keepBits(s.path, &s.entry)
	}
	// At the final name only what this upload made, and what verify refused, may be removed: after a
	// failed upload the old content is there still.
	if err != nil && (arrived || name != final) && !errors.Is(rclone.Classify(ctx, err), remote.ErrOffline) {
		s.discard(ctx, o, name)
	}
	return err
}

// upload puts the content at name. A small file is read first if that is the final name: so a source that fails has
// no effect at all, and the remote gets the hash ahead, by which it can refuse what does not arrive whole.
func (s *sending) upload(ctx context.Context, name string) (fs.Object, error) {
	info, err := s.info(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.partial || s.entry.Size > readAhead {
		return s.put(ctx, s.tap, info)
	}
	content, err := io.ReadAll(s.tap)
	if err != nil {
		return nil, err
	}
	if int64(len(content)) != s.entry.Size {
		return nil, fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, len(content), s.entry.Size)
	}
	if s.tap.hash != nil {
		sum, err := s.tap.sum(s.hash)
		if err != nil {
			return nil, err
		}
		info = known{info, s.hash, sum}
	}
	return s.put(ctx, bytes.NewReader(content), info)
}

// readAhead is the size up to which a file is read before its upload begins, once per transfer.
//
// A larger file goes out as it is read. A server must drop a PUT that breaks off (RFC 9112, section 8), and S3 does;
// versitygw 1.8 publishes the part, which the next Send replaces. A part cannot be told from the old content, so
// nothing is removed.
const readAhead = 8 << 20

// known is an ObjectInfo with its hash.
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
func (s *sending) info(ctx context.Context, name string) (fs.ObjectInfo, error) {
	info := object.NewStaticObjectInfo(name, s.entry.ModTime(), s.entry.Size, true, nil, s.f)
	if !s.caps.Metadata {
		return info, nil
	}
	meta, err := metadata(ctx, s.cfg.Source, s.path, s.entry.Kind)
	if err != nil {
		return nil, err
	}
	return info.WithMetadata(meta), nil
}

// verify compares what arrived, by the object that Put returned, with what was sent. A remote that would have to be
// asked again is believed.
func (s *sending) verify(ctx context.Context, o fs.Object) error {
	if size := o.Size(); size >= 0 && size != s.entry.Size {
		return fmt.Errorf("%w: %d bytes arrived of %d", remote.ErrTemporary, size, s.entry.Size)
	}
	if s.tap.hash == nil {
		return nil
	}
	want, err := s.tap.sum(s.hash)
	if err != nil {
		return err
	}
	got, err := o.Hash(ctx, s.hash)
	if err != nil || got == "" {
		return nil // such as a multipart upload to S3
	}
	if got != want {
		return fmt.Errorf("%w: the content arrived damaged: %v is %s instead of %s", remote.ErrTemporary, s.hash, got, want)
	}
	return nil
}

// discardTimeout bounds discard: the error of the upload is waited for.
const discardTimeout = 2 * time.Second

// discard removes what a failed upload left. What takes too long is left to Cleanup.
func (s *sending) discard(ctx context.Context, o fs.Object, name string) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, discardTimeout)
	defer cancel()
	if err := s.run(ctx, func(ctx context.Context) error { return s.remove(ctx, o, name) }); err != nil {
		s.log.Debug("cannot remove a failed upload", "name", name, "err", err)
	}
}
