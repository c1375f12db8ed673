package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// List implements remote.Connection. A listing has no mtimes: a file is recognised by its MD5, which the ETag is. An
// object whose ETag is none, sent in parts, is asked for by itself.
func (c *connection) List(ctx context.Context, fn func(remote.Object) error) error {
	for objects, err := range c.client.List(ctx) {
		var found []*remote.Object
		if err == nil {
			found, err = c.remotes(ctx, objects)
		}
		if err != nil {
			return fmt.Errorf("list remote: %w", client.Classify(ctx, err))
		}
		for _, r := range found {
			if r == nil {
				continue
			}
			if err := fn(*r); err != nil {
				return fmt.Errorf("list remote: %w", err)
			}
		}
	}
	return nil
}

// remotes translates a page; nil stands for what is not the engine's business.
func (c *connection) remotes(ctx context.Context, objects []types.Object) ([]*remote.Object, error) {
	found := make([]*remote.Object, len(objects))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(client.Transfers)
	for i := range objects {
		o := &objects[i]
		r := c.remote(aws.ToString(o.Key), aws.ToInt64(o.Size))
		if found[i] = r; r == nil || r.Entry.Kind == snapshot.Dir {
			continue
		}
		r.Uploaded = aws.ToTime(o.LastModified)
		if setHash(&r.Entry, c.client.ETagMD5(o.ETag)) {
			continue
		}
		group.Go(func() error {
			head, err := c.client.Head(ctx, options.Address{Bucket: c.at.Bucket, Key: aws.ToString(o.Key)})
			if client.NotThere(err) {
				found[i] = nil // deleted meanwhile
				return nil
			}
			if err == nil {
				c.fill(&r.Entry, head)
			}
			return err
		})
	}
	return found, group.Wait()
}

// remote is what a key and a size tell.
func (c *connection) remote(key string, size int64) *remote.Object {
	name, ok := c.at.Name(key)
	if !ok || name == "" {
		return nil // not of this directory, or its own marker
	}
	e := snapshot.Entry{Kind: snapshot.File, Size: size, Flags: snapshot.Adopted}
	if dir, ok := strings.CutSuffix(name, "/"); ok && size == 0 {
		name, e.Kind = dir, snapshot.Dir
	}
	if link, ok := rclone.TrimLink(name); ok && c.links && e.Kind == snapshot.File {
		name, e.Kind = link, snapshot.Symlink
	}
	if c.backup.Hides(name, e.Kind == snapshot.Dir) {
		return nil
	}
	path, err := rclone.Decode(name)
	if err != nil {
		c.log.Warn("the remote has a name that no local file can have; it is left alone", "name", name)
		return nil
	}
	if e.Kind != snapshot.Dir && c.at.At(path, e.Kind).Key != key {
		c.log.Warn("the remote has a key that no file here can have, and that requests for one would miss; it is left alone", "key", key)
		return nil
	}
	_, last := snapshot.Split(path)
	return &remote.Object{Path: path, Entry: e, Temporary: e.Kind == snapshot.File && remote.IsTempName(last)}
}

// fill adds what only HEAD tells.
func (c *connection) fill(e *snapshot.Entry, head *s3.HeadObjectOutput) {
	e.Size = aws.ToInt64(head.ContentLength)
	e.Mtime = snapshot.Nanos(client.Mtime(head))
	setHash(e, c.client.MD5(head))
}

// setHash gives e an MD5, and returns false if there is none.
func setHash(e *snapshot.Entry, md5 []byte) bool {
	if md5 == nil {
		return false
	}
	e.HashType = md5Type
	copy(e.Hash[:], md5)
	return true
}

// found is an object that was seen.
type found struct {
	options.Address
	kind snapshot.Kind
	head *s3.HeadObjectOutput
}

// find looks for the file at path or, with --links, for the symbolic link.
func (c *connection) find(ctx context.Context, path string) (*found, error) {
	f := &found{Address: c.at.At(path, snapshot.File), kind: snapshot.File}
	var err error
	f.head, err = c.client.Head(ctx, f.Address)
	if client.NotThere(err) && c.links {
		f.Address, f.kind = c.at.At(path, snapshot.Symlink), snapshot.Symlink
		f.head, err = c.client.Head(ctx, f.Address)
	}
	if client.NotThere(err) {
		return nil, fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return f, err
}

// same is find of a path at which there can be was. An object that another program has written has no mtime of ours.
func (c *connection) same(ctx context.Context, path string, was *snapshot.Entry) (*found, error) {
	f, err := c.find(ctx, path)
	if err != nil || was == nil {
		return f, err
	}
	there := snapshot.Entry{Kind: f.kind}
	if c.fill(&there, f.head); client.Metadata(f.head, client.MetaMtime) == "" {
		there.Mtime = 0
	}
	if caps := c.Caps(); caps.Contradicts(was, &there) {
		return nil, remote.ErrAnother
	}
	return f, nil
}

// Stat implements remote.Connection.
func (c *connection) Stat(ctx context.Context, path string) (remote.Object, error) {
	f, err := c.find(ctx, path)
	if err != nil {
		return remote.Object{}, fmt.Errorf("stat %q: %w", path, client.Classify(ctx, err))
	}
	_, last := snapshot.Split(path)
	r := remote.Object{Path: path, Entry: snapshot.Entry{Kind: f.kind, Flags: snapshot.Adopted}, Temporary: remote.IsTempName(last)}
	c.fill(&r.Entry, f.head)
	return r, nil
}

// Hash implements remote.Connection. An MD5 that the server knows is taken before the object is read.
func (c *connection) Hash(ctx context.Context, path string, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	t, h, err := c.hash(ctx, path, want)
	if err != nil {
		return snapshot.NoHash, snapshot.Hash{}, fmt.Errorf("hash %q: %w", path, client.Classify(ctx, err))
	}
	return t, h, nil
}

func (c *connection) hash(ctx context.Context, path string, want snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, err error) {
	f, err := c.find(ctx, path)
	if err != nil {
		return t, h, err
	}
	var e snapshot.Entry
	if setHash(&e, c.client.MD5(f.head)) {
		return e.HashType, e.Hash, nil
	}
	out, err := c.client.Get(ctx, f.Address)
	if err != nil {
		return t, h, err
	}
	t, h, n, err := rclone.HashStream(ctx, out.Body, want)
	if err = errors.Join(err, out.Body.Close()); err == nil && n != aws.ToInt64(out.ContentLength) {
		err = fmt.Errorf("%w: got %d bytes instead of %d", remote.ErrTemporary, n, aws.ToInt64(out.ContentLength))
	}
	return t, h, err
}
