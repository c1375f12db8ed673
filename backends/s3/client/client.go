package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// Client makes the requests of one remote. What has no lock is set by Open and constant.
type Client struct {
	Where string // the server, as tickets of uploads have it

	opt  *options.Options
	at   *options.Location
	wait time.Duration
	log  *slog.Logger

	sdk     *s3.Client
	patient *s3.Client   // for copies and completions, on which a server may work for long without a word
	direct  *direct      // nil: all goes through the SDK
	crc     atomic.Int32 // an options.Support: of CRC32C

	throttled  throttled
	making     sync.Mutex   // held while a bucket is being made
	bucketIs   atomic.Int32 // a presence
	oneByOne   atomic.Bool  // the server does not delete in batches
	quotedList atomic.Bool  // listings have to be URL-encoded, against what options say
}

// Open makes a Client for the remote at a location. ErrOffline: nobody answers within wait.
func Open(ctx, rctx context.Context, opt *options.Options, at *options.Location, wait time.Duration, log *slog.Logger) (*Client, error) {
	c := &Client{opt: opt, at: at, wait: wait, log: log}
	c.crc.Store(int32(opt.Checksums))
	if err := c.connect(ctx, rctx); err != nil {
		return nil, Classify(ctx, err) // backends names the remote
	}
	c.direct = newDirect(ctx, c.sdk, at.Bucket)
	return c, nil
}

// connect makes the SDK's clients and asks one question, to which the answer may be another region.
func (c *Client) connect(ctx, rctx context.Context) error {
	cfg, err := newConfig(ctx, rctx, c.opt)
	if err != nil {
		return err
	}
	for asked := false; ; asked = true {
		c.sdk, c.patient = newSDK(rctx, cfg, c.opt, &c.throttled, false), newSDK(rctx, cfg, c.opt, &c.throttled, true)
		err := c.Ask(ctx)
		region := "" // of the bucket, if that is why the request was refused
		if answer := (*smithyhttp.ResponseError)(nil); errors.As(err, &answer) && answer.Response != nil {
			region = answer.Response.Header.Get("X-Amz-Bucket-Region")
		}
		if region == "" || region == cfg.Region || asked {
			c.Where = c.opt.Endpoint
			if c.Where == "" {
				c.Where = "aws/" + cfg.Region
			}
			return err
		}
		c.log.Info("the bucket is in another region than the remote's configuration says", "bucket", c.at.Bucket, "region", region)
		cfg.Region = region
	}
}

// Ask lists one key, which shows that credentials and address are right. A missing bucket is no error: InBucket makes
// it. Neither is a refusal to list: writing may be allowed all the same.
func (c *Client) Ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req := c.listRequest()
	req.MaxKeys = aws.Int32(1)
	known := c.bucketIs.Load()
	_, err := c.sdk.ListObjectsV2(ctx, req, once)
	c.see(known, err)
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("%w: no answer within %v", remote.ErrOffline, c.wait)
	}
	err = Classify(ctx, err)
	if errors.Is(err, remote.ErrOffline) || errors.Is(err, remote.ErrFatal) && !NoSuchBucket(err) {
		return err
	}
	return nil
}

// presence is what a Client has seen of the remote's bucket.
type presence = int32

const (
	bucketUnseen presence = iota // who may not list it does not know
	bucketMissing
	bucketThere
	bucketGone // for good, as far as this Client is concerned: it was there
)

// see takes in what the answer to a request tells of the remote's bucket. asked is what was known when the request was
// sent: the bucket may have been made while a "no such bucket" was on its way, which does not tell that it is gone.
func (c *Client) see(asked presence, err error) {
	switch {
	case err == nil:
		if !c.bucketIs.CompareAndSwap(bucketUnseen, bucketThere) {
			c.bucketIs.CompareAndSwap(bucketMissing, bucketThere)
		}
	case NoSuchBucket(err) && asked == bucketThere:
		c.bucketIs.Store(bucketGone)
	case NoSuchBucket(err):
		c.bucketIs.CompareAndSwap(bucketUnseen, bucketMissing)
	}
}

// Bucket reports whether the remote's bucket is there, if that is known.
func (c *Client) Bucket() (there, known bool) {
	is := c.bucketIs.Load()
	return is == bucketThere, is != bucketUnseen
}

// InBucket does what needs a bucket, and makes the bucket if that turns out to be missing. rclone makes it before. The
// remote's own is not made a second time: what it held is gone, and the engine has to know.
func (c *Client) InBucket(ctx context.Context, bucket string, do func() error) error {
	asked := c.bucketIs.Load()
	err := do()
	if !NoSuchBucket(err) || c.opt.NoCheckBucket {
		return err
	}
	if bucket == c.at.Bucket {
		if c.see(asked, err); c.bucketIs.Load() == bucketGone {
			return err
		}
	}
	if err := c.makeBucket(ctx, bucket); err != nil {
		return err
	}
	if err = do(); bucket == c.at.Bucket {
		c.see(bucketMissing, err)
	}
	return err
}

// makeBucket makes a bucket, unless another call has done so meanwhile.
func (c *Client) makeBucket(ctx context.Context, bucket string) error {
	c.making.Lock()
	defer c.making.Unlock()
	if _, err := c.sdk.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err == nil {
		return nil
	}
	req := &s3.CreateBucketInput{Bucket: &bucket, ACL: types.BucketCannedACL(c.opt.BucketACL)}
	if c.opt.LocationConstraint != "" {
		req.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(c.opt.LocationConstraint),
		}
	}
	_, err := c.sdk.CreateBucket(ctx, req)
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

// Throttled returns how often the server said since the last call that it is asked too much.
func (c *Client) Throttled() int64 { return c.throttled.n.Swap(0) }

// Close ends the connections that nobody uses.
func (c *Client) Close() {
	for _, client := range []*s3.Client{c.sdk, c.patient} {
		if idle, ok := client.Options().HTTPClient.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
	}
}
