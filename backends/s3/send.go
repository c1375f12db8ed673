package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/engine/remote"
)

// Send implements remote.Connection.
func (c *connection) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	o := &client.Object{
		Address: c.at.At(path, e.Kind), ContentType: fs.MimeTypeFromName(rclone.RemoteName(path, e.Kind)),
		Metadata: map[string]string{client.MetaMtime: client.MtimeText(e.ModTime())},
	}
	var err error
	if e.Size >= max(1, int64(c.opt.UploadCutoff)) {
		err = c.sender.Send(ctx, path, o, src)
	} else if err = c.sender.Forget(ctx, path); err == nil {
		err = c.sendWhole(ctx, o, src, e.Size)
	}
	if err != nil {
		return fmt.Errorf("send %q: %w", path, client.Classify(ctx, err))
	}
	return nil
}

// sendWhole sends a file in one request. It is read into memory before: so a source that fails has no effect, and the
// checksum can go ahead of the content.
func (c *connection) sendWhole(ctx context.Context, o *client.Object, src remote.Source, size int64) error {
	buf, err := c.budget.Get(ctx, size)
	if err != nil {
		return err
	}
	defer buf.Free()
	in, err := src.Open()
	if err != nil {
		return err
	}
	if err := errors.Join(buf.Fill(ctx, in), in.Close()); err != nil {
		return err
	}
	return c.client.Put(ctx, o, buf)
}
