package s3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

func init() { backends.Accelerate("s3", open) }

// connection is one remote. What has no lock is set by open and constant.
type connection struct {
	opt      *options
	at       location
	backup   *backends.BackupLocation // nil: no backups are kept
	backupAt location                 // where they go
	links    bool
	wait     time.Duration
	log      *slog.Logger

	client    *s3.Client
	patient   *s3.Client // for what a server may work on for long without a word: copies, completions
	budget    *budget
	resumeLog *resumeLog
	direct    *direct // nil: all goes through the SDK
	crc       trial
	where     string // the server, for what is remembered

	throttled  throttled
	bucket     sync.Mutex   // held while the bucket is being made
	bucketIs   atomic.Int32 // a presence
	oneByOne   atomic.Bool  // the server does not delete in batches
	quotedList atomic.Bool  // its listings have to be URL-encoded although the provider's need not
}

var _ remote.Connection = (*connection)(nil)

// memoryLimit bounds what is read ahead of its requests, unless upload_cutoff is larger.
const memoryLimit = 128 << 20

// open implements backends.Accelerator.
func open(ctx, rctx context.Context, d *backends.Details) (remote.Connection, error) {
	opt, err := parseOptions(rctx, d)
	if err != nil {
		return nil, err
	}
	c := &connection{
		opt: opt, backup: d.Backup, links: d.Config.Rclone.Links, wait: d.Config.Wait, log: d.Config.Log,
		budget: newBudget(max(memoryLimit, int64(opt.UploadCutoff))),
	}
	if c.at, err = newLocation(d.Root, opt.Enc); err != nil {
		return nil, err
	}
	if d.Backup != nil {
		if c.backupAt, err = newLocation(d.Backup.Root, opt.Enc); err != nil {
			return nil, err
		}
	}
	c.crc.known.Store(int32(opt.checksums))
	if err := c.connect(ctx, rctx); err != nil {
		return nil, classify(ctx, err) // backends names the remote
	}
	c.direct = newDirect(ctx, c.client, c.at.bucket)
	if c.resumeLog, err = newResumeLog(d.Config.Uploads); err != nil {
		return nil, err
	}
	return c, c.expire(ctx, d.Config.UploadAge)
}

// connect makes the clients and asks one question. The server may answer that the bucket is elsewhere.
func (c *connection) connect(ctx, rctx context.Context) error {
	cfg, err := newConfig(ctx, rctx, c.opt)
	if err != nil {
		return err
	}
	for asked := false; ; asked = true {
		c.client, c.patient = c.newClient(rctx, cfg, false), c.newClient(rctx, cfg, true)
		err := c.ask(ctx)
		region := elsewhere(err)
		if region == "" || region == cfg.Region || asked {
			c.where = c.opt.Endpoint
			if c.where == "" {
				c.where = "aws/" + cfg.Region
			}
			return err
		}
		c.log.Info("the bucket is in another region than the remote's configuration says", "bucket", c.at.bucket, "region", region)
		cfg.Region = region
	}
}

// ask asks for one key, so that credentials and address are known to be right. A missing bucket is made
// when it is needed, and who may not list may still be allowed to write.
func (c *connection) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req := c.listRequest()
	one := int32(1)
	req.MaxKeys = &one
	_, err := c.client.ListObjectsV2(ctx, req, once)
	c.see(err)
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("%w: no answer within %v", remote.ErrOffline, c.wait)
	}
	err = classify(ctx, err)
	if errors.Is(err, remote.ErrOffline) || errors.Is(err, remote.ErrFatal) && !noSuchBucket(err) {
		return err
	}
	return nil
}

// elsewhere returns the region of the bucket if that is why a request was refused.
func elsewhere(err error) string {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil {
		return ""
	}
	return answer.Response.Header.Get("X-Amz-Bucket-Region")
}

// Caps implements remote.Connection.
func (c *connection) Caps() remote.Caps {
	caps := remote.Caps{
		Copy: true, SetModTime: true, Precision: time.Nanosecond, BucketBased: true,
		Resume: true, Backup: c.backup != nil, DeleteBatch: deleteBatch, Transfers: transfers,
	}
	if !c.opt.etagIsNotMD5 {
		caps.Hash = md5Type
	}
	return caps
}

var md5Type, _ = snapshot.ParseHashType("md5")

// Probe implements remote.Connection.
func (c *connection) Probe(ctx context.Context) error {
	if err := c.ask(ctx); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

// Move implements remote.Connection: S3 has no such thing, and Caps say so.
func (c *connection) Move(_ context.Context, from, path string, _ bool) error {
	return fmt.Errorf("move %q to %q: %w", from, path, remote.ErrCannotMove)
}

// Mkdir implements remote.Connection: there are no directories.
func (c *connection) Mkdir(context.Context, string) error { return nil }

// Rmdir implements remote.Connection.
func (c *connection) Rmdir(context.Context, string) error { return nil }

// Flush implements remote.Connection: what S3 has confirmed is durable.
func (c *connection) Flush(ctx context.Context) error { return ctx.Err() }

// Throttled implements remote.Connection.
func (c *connection) Throttled() int64 { return c.throttled.take() }

// Close implements remote.Connection.
func (c *connection) Close() error {
	for _, client := range []*s3.Client{c.client, c.patient} {
		if idle, ok := client.Options().HTTPClient.(interface{ CloseIdleConnections() }); ok {
			idle.CloseIdleConnections()
		}
	}
	return nil
}
