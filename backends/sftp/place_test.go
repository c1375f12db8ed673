package sftp

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestPlace: whether the remote's directory is there is known when a connection is opened and when it made it.
func TestPlace(t *testing.T) {
	target := serverRemote(t) + "/place-" + rand.Text()[:10]
	purge := func() error {
		f, err := fs.NewFs(context.Background(), target)
		if err != nil {
			return err
		}
		return operations.Purge(context.Background(), f, "")
	}
	t.Cleanup(func() { _ = purge() })
	open := func() *connection {
		c := accelerated(t, backends.Config{Remote: target})
		t.Cleanup(func() { c.Close() })
		return c
	}
	is := func(c *connection, there bool) {
		t.Helper()
		if places, err := c.Places(); err != nil || len(places) != 1 || places[0].There != there {
			t.Errorf("places: %+v, %v", places, err)
		}
	}
	c := open()
	is(c, false)
	if err := c.Send(t.Context(), "sub/a", enginetest.Text("a", time.Now())); err != nil {
		t.Fatal(err)
	}
	is(c, true)
	is(open(), true)
	if err := purge(); err != nil {
		t.Fatal(err)
	}
	err := c.Send(t.Context(), "sub/b", enginetest.Text("b", time.Now()))
	if !errors.Is(err, remote.ErrFatal) {
		t.Errorf("made again what was removed: %v", err)
	}
	is(open(), false)
}
