package s3

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// presence is what a connection has seen of the remote's bucket.
type presence = int32

const (
	bucketUnseen presence = iota // who may not list it does not know
	bucketMissing
	bucketThere
	bucketGone // for good, as far as this connection is concerned: it was there
)

// see notes what an answer tells of the remote's bucket.
func (c *connection) see(err error) {
	switch was := c.bucketIs.Load(); {
	case was == bucketGone:
	case err == nil:
		c.bucketIs.Store(bucketThere)
	case noSuchBucket(err) && was == bucketThere:
		c.bucketIs.Store(bucketGone)
	case noSuchBucket(err):
		c.bucketIs.Store(bucketMissing)
	}
}

// Places implements remote.Connection: the remote is kept in its bucket.
func (c *connection) Places() ([]remote.Place, error) {
	is := c.bucketIs.Load()
	if is == bucketUnseen {
		return nil, nil
	}
	p := remote.Place{Path: "the bucket " + strconv.Quote(c.at.bucket)}
	if is == bucketThere {
		p.There, p.Root = true, snapshot.Identity{Ino: 1}
	}
	return []remote.Place{p}, nil
}

// inBucket does what needs the bucket. It is made, as rclone would do before, if it turns out to be missing;
// but not in place of one that was there: what it held is gone with it, and the engine has to know.
func (c *connection) inBucket(ctx context.Context, at *location, do func() error) error {
	err := do()
	if !noSuchBucket(err) || c.opt.NoCheckBucket {
		return err
	}
	if at.bucket == c.at.bucket {
		if c.see(err); c.bucketIs.Load() == bucketGone {
			return err
		}
	}
	if err := c.makeBucket(ctx, at.bucket); err != nil {
		return err
	}
	if err = do(); at.bucket == c.at.bucket {
		c.see(err)
	}
	return err
}

// makeBucket makes the bucket, unless another call has done so meanwhile.
func (c *connection) makeBucket(ctx context.Context, bucket string) error {
	c.bucket.Lock()
	defer c.bucket.Unlock()
	if _, err := c.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err == nil {
		return nil
	}
	req := &s3.CreateBucketInput{Bucket: &bucket, ACL: types.BucketCannedACL(c.opt.BucketACL)}
	if c.opt.LocationConstraint != "" {
		req.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(c.opt.LocationConstraint),
		}
	}
	_, err := c.client.CreateBucket(ctx, req)
	switch code(err) {
	case "BucketAlreadyOwnedByYou":
		return nil
	case "BucketAlreadyExists", "BucketNameUnavailable":
		if !c.opt.UseAlreadyExists.Value {
			return nil // said of one's own bucket as well
		}
	}
	if err == nil {
		c.log.Info("made the bucket", "bucket", bucket)
	}
	return err
}
