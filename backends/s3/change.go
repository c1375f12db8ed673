package s3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Copy implements remote.Connection.
func (c *connection) Copy(ctx context.Context, from, path string, e snapshot.Entry, was *snapshot.Entry) error {
	err := c.sender.Forget(ctx, path)
	var f *found
	if err == nil {
		f, err = c.same(ctx, from, was)
	}
	if err == nil {
		err = c.duplicate(ctx, path, f, c.at.At(path, e.Kind), e.ModTime())
	}
	if err != nil {
		return fmt.Errorf("copy %q to %q: %w", from, path, client.Classify(ctx, err))
	}
	return nil
}

// Touch implements remote.Connection: the object is copied onto itself, which is how S3 changes metadata.
func (c *connection) Touch(ctx context.Context, path string, e snapshot.Entry, was *snapshot.Entry) error {
	f, err := c.same(ctx, path, was)
	if err == nil && client.Metadata(f.head, client.MetaMtime) != client.MtimeText(e.ModTime()) {
		err = c.duplicate(ctx, path, f, f.Address, e.ModTime())
	}
	if err != nil {
		return fmt.Errorf("set mtime of %q: %w", path, client.Classify(ctx, err))
	}
	return nil
}

// Backup implements remote.Connection. A crash between copy and removal leaves both, and the next Backup of the path
// copies once more.
func (c *connection) Backup(ctx context.Context, path string) error {
	f, err := c.find(ctx, path)
	if errors.Is(err, remote.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = c.backup.Move(rclone.RemoteName(path, f.kind), func(name string) error {
			to := c.backupAt.Named(name)
			return c.client.InBucket(ctx, to.Bucket, func() error {
				return c.duplicate(ctx, path, f, to, client.Mtime(f.head))
			})
		}, func(name string, err error) int { return c.inTheWay(ctx, name, err) })
	}
	if err == nil {
		err = c.client.Delete(ctx, f.Address)
	}
	if err != nil {
		return fmt.Errorf("back up %q: %w", path, client.Classify(ctx, err))
	}
	return nil
}

// inTheWay is a rclone.Collision of name: on S3 there is none, but some servers keep objects as files.
func (c *connection) inTheWay(ctx context.Context, name string, err error) int {
	if !client.Conflict(err) {
		return 0
	}
	return rclone.Collision(name, func(name string) bool {
		_, err := c.client.Head(ctx, c.backupAt.Named(name))
		return err == nil
	}, func(string) bool { return true })
}

// duplicate copies an object with its metadata, but for the mtime, on behalf of path.
func (c *connection) duplicate(ctx context.Context, path string, f *found, to options.Address, mtime time.Time) error {
	p := client.NewCopy(c.client, f.Address, f.head, to, mtime)
	if p.InParts() {
		return c.sender.Copy(ctx, path, p)
	}
	return p.Whole(ctx)
}

// Delete implements remote.Connection: one request for all, where the server and the names allow it.
func (c *connection) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	at := make([]options.Address, len(paths)) // zero: it is not there
	each(paths, func(i int) { at[i], errs[i] = c.toDelete(ctx, paths[i]) })
	var batch, singly []int
	for i := range at {
		switch {
		case at[i].Key == "" || errs[i] != nil:
		case c.client.CanBatch(at[i].Key):
			batch = append(batch, i)
		default:
			singly = append(singly, i)
		}
	}
	if len(batch) > 0 {
		keys := make([]string, len(batch))
		for n, i := range batch {
			keys[n] = at[i].Key
		}
		failed, err := c.client.DeleteAll(ctx, keys)
		if errors.Is(err, client.ErrNoBatch) {
			singly = append(singly, batch...)
		}
		for _, i := range batch {
			if errs[i] = err; err == nil {
				errs[i] = failed[at[i].Key]
			}
		}
	}
	each(singly, func(i int) { errs[singly[i]] = c.client.Delete(ctx, at[singly[i]]) })
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("delete %q: %w", paths[i], client.Classify(ctx, err))
		}
	}
	return errs
}

// toDelete is the address of the file at path. With --links there are two, and the other may be a file whose name
// merely looks like that of a link: so the server is asked.
func (c *connection) toDelete(ctx context.Context, path string) (options.Address, error) {
	if !c.links {
		return c.at.At(path, snapshot.File), nil
	}
	f, err := c.find(ctx, path)
	switch {
	case errors.Is(err, remote.ErrNotFound):
		return options.Address{}, nil
	case err != nil:
		return options.Address{}, err
	}
	return f.Address, nil
}

// each calls do for every index of list, several at a time.
func each[T any](list []T, do func(i int)) {
	var group errgroup.Group
	group.SetLimit(client.Transfers)
	for i := range list {
		group.Go(func() error { do(i); return nil })
	}
	_ = group.Wait() // do has no errors
}

// Cleanup implements remote.Connection.
func (c *connection) Cleanup(ctx context.Context, path string) error {
	if err := c.sender.Forget(ctx, path); err != nil {
		return fmt.Errorf("clean up after %q: %w", path, client.Classify(ctx, err))
	}
	return nil
}
