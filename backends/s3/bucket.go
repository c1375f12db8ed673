package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// inBucket does what needs the bucket. It is made, as rclone would do before, if it turns out to be missing.
func (c *connection) inBucket(ctx context.Context, at *place, do func() error) error {
	err := do()
	if !noSuchBucket(err) || c.opt.NoCheckBucket {
		return err
	}
	if err := c.makeBucket(ctx, at.bucket); err != nil {
		return err
	}
	return do()
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
