package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Stat implements remote.Connection.
func (c *connection) Stat(ctx context.Context, path string) (remote.Object, error) {
	f, err := c.find(ctx, path)
	if err != nil {
		return remote.Object{}, fmt.Errorf("stat %q: %w", path, classify(ctx, err))
	}
	_, last := snapshot.Split(path)
	r := remote.Object{Path: path, Entry: snapshot.Entry{Kind: f.kind, Flags: snapshot.Adopted}, Temporary: remote.IsTempName(last)}
	c.fill(&r.Entry, f.head)
	return r, nil
}

// found is an object that is there.
type found struct {
	key  string
	kind snapshot.Kind
	head *s3.HeadObjectOutput
}

// find looks for the file at path or, with --links, for the symbolic link.
func (c *connection) find(ctx context.Context, path string) (*found, error) {
	f := &found{key: c.at.key(path, snapshot.File), kind: snapshot.File}
	var err error
	f.head, err = c.head(ctx, &c.at, f.key)
	if notThere(err) && c.links {
		f.key, f.kind = c.at.key(path, snapshot.Symlink), snapshot.Symlink
		f.head, err = c.head(ctx, &c.at, f.key)
	}
	if notThere(err) {
		return nil, fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return f, err
}

func (c *connection) head(ctx context.Context, at *location, key string) (*s3.HeadObjectOutput, error) {
	return c.client.HeadObject(ctx, c.headRequest(at, key))
}

func (c *connection) headRequest(at *location, key string) *s3.HeadObjectInput {
	return &s3.HeadObjectInput{
		Bucket: &at.bucket, Key: &key, RequestPayer: c.payer(),
		SSECustomerAlgorithm: notEmpty(c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(c.opt.SSECustomerKeyMD5),
	}
}

// Hash implements remote.Connection. An MD5 that the server knows is taken before the object is read.
func (c *connection) Hash(ctx context.Context, path string, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	t, h, err := c.hash(ctx, path, want)
	if err != nil {
		return snapshot.NoHash, snapshot.Hash{}, fmt.Errorf("hash %q: %w", path, classify(ctx, err))
	}
	return t, h, nil
}

func (c *connection) hash(ctx context.Context, path string, want snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, err error) {
	f, err := c.find(ctx, path)
	if err != nil {
		return t, h, err
	}
	var e snapshot.Entry
	if c.fill(&e, f.head); e.HashType != snapshot.NoHash {
		return e.HashType, e.Hash, nil
	}
	out, err := c.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &c.at.bucket, Key: &f.key, RequestPayer: c.payer(),
		SSECustomerAlgorithm: notEmpty(c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(c.opt.SSECustomerKeyMD5),
	})
	if err != nil {
		return t, h, err
	}
	t, h, n, err := rclone.HashStream(ctx, out.Body, want)
	if err = errors.Join(err, out.Body.Close()); err == nil && n != aws.ToInt64(out.ContentLength) {
		err = fmt.Errorf("%w: got %d bytes instead of %d", remote.ErrTemporary, n, aws.ToInt64(out.ContentLength))
	}
	return t, h, err
}
