package s3

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestBucketGone: a bucket is made where there was none, and not in place of one that somebody removed.
func TestBucketGone(t *testing.T) {
	p, err := fspath.Parse(server(t))
	must(t, err)
	bucket := "snapsync-gone-" + strings.ToLower(rand.Text()[:10])
	bucket = p.ConfigString + ":" + bucket
	target := bucket + "/x"
	c := dial(t, backends.Config{Remote: target})
	t.Cleanup(func() { empty(c, bucket) })
	holds := func(c *connection, there bool) {
		t.Helper()
		if places, err := c.Places(); err != nil || len(places) != 1 || places[0].There != there {
			t.Errorf("places: %+v, %v", places, err)
		}
	}
	holds(c, false)
	send := func(name string) error {
		return c.Send(t.Context(), name, enginetest.Text(name, time.Now()))
	}
	must(t, send("a"))
	holds(c, true)
	must(t, empty(c, bucket))
	if err := send("b"); err == nil || !client.NoSuchBucket(err) {
		t.Errorf("sent to a bucket that was removed: %v", err)
	} else {
		is(t, err, remote.ErrFatal)
	}
	holds(dial(t, backends.Config{Remote: target}), false)
}

// empty removes the bucket and the objects of the test.
func empty(c *connection, remote string) error {
	ctx := context.Background()
	for _, key := range []string{"a", "b"} {
		if err := c.client.Delete(ctx, c.at.Named(key)); err != nil {
			return err
		}
	}
	f, err := fs.NewFs(ctx, remote)
	if err != nil {
		return err
	}
	return f.Rmdir(ctx, "")
}
