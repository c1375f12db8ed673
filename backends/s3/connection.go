package s3

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/backends/s3/upload"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

func init() { backends.Accelerate("s3", open) }

// connection is one remote. All fields are set by open and constant.
type connection struct {
	opt      *options.Options
	at       options.Location
	backup   *backends.BackupLocation // nil: no backups are kept
	backupAt options.Location
	links    bool
	log      *slog.Logger

	client *client.Client
	budget *buffer.Budget
	sender *upload.Sender
}

var _ remote.Connection = (*connection)(nil)

// memoryLimit bounds what is read ahead of its requests, unless upload_cutoff is larger.
const memoryLimit = 128 << 20

// open implements backends.Accelerator.
func open(ctx, rctx context.Context, d *backends.Details) (remote.Connection, error) {
	opt, err := options.Parse(rctx, d)
	if err != nil {
		return nil, err
	}
	c := &connection{
		opt: opt, backup: d.Backup, links: d.Config.Rclone.Links, log: d.Config.Log,
		budget: buffer.NewBudget(max(memoryLimit, int64(opt.UploadCutoff))),
	}
	if c.at, err = options.NewLocation(d.Root, opt.Enc); err != nil {
		return nil, err
	}
	if d.Backup != nil {
		if c.backupAt, err = options.NewLocation(d.Backup.Root, opt.Enc); err != nil {
			return nil, err
		}
	}
	if c.client, err = client.Open(ctx, rctx, opt, &c.at, d.Config.Wait, c.log); err != nil {
		return nil, err
	}
	if c.sender, err = upload.NewSender(c.client, opt, c.budget, d.Config.Uploads, c.log); err != nil {
		return nil, err
	}
	return c, c.sender.Expire(ctx, d.Config.UploadAge)
}

// Caps implements remote.Connection.
func (c *connection) Caps() remote.Caps {
	caps := remote.Caps{
		Copy: true, SetModTime: true, Precision: time.Nanosecond, BucketBased: true,
		Resume: true, Backup: c.backup != nil, DeleteBatch: options.DeleteBatch, Transfers: client.Transfers,
	}
	if !c.opt.ETagIsNotMD5 {
		caps.Hash = md5Type
	}
	return caps
}

var md5Type, _ = snapshot.ParseHashType("md5")

// Places implements remote.Connection: the remote is kept in its bucket.
func (c *connection) Places() ([]remote.Place, error) {
	there, known := c.client.Bucket()
	if !known {
		return nil, nil
	}
	p := remote.Place{Path: "the bucket " + strconv.Quote(c.at.Bucket)}
	if there {
		p.There, p.Root = true, snapshot.Identity{Ino: 1}
	}
	return []remote.Place{p}, nil
}

// Probe implements remote.Connection.
func (c *connection) Probe(ctx context.Context) error {
	if err := c.client.Ask(ctx); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

// Move implements remote.Connection: S3 has no such thing, and Caps say so.
func (c *connection) Move(_ context.Context, from, path string, _ bool, _ *snapshot.Entry) error {
	return fmt.Errorf("move %q to %q: %w", from, path, remote.ErrCannotMove)
}

// Mkdir implements remote.Connection: there are no directories.
func (c *connection) Mkdir(context.Context, string) error { return nil }

// Rmdir implements remote.Connection.
func (c *connection) Rmdir(context.Context, string) error { return nil }

// Flush implements remote.Connection: what S3 has confirmed is durable.
func (c *connection) Flush(ctx context.Context) error { return ctx.Err() }

// Throttled implements remote.Connection.
func (c *connection) Throttled() int64 { return c.client.Throttled() }

// Close implements remote.Connection.
func (c *connection) Close() error {
	c.client.Close()
	return nil
}
