package sftp

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/enginetest"
)

// TestManyLarge sends more large files over one session than fit into what may be in flight together. Each
// that waited for room while it held some would have to be let go by another that waits: for ever.
func TestManyLarge(t *testing.T) {
	server := startServer(t)
	dir := t.TempDir()
	remote := strings.Replace(server.remote(dir), ",host", ",connections=1,host", 1)
	c := accelerated(t, backends.Config{Remote: remote, Wait: time.Minute})
	defer c.Close()
	content := randomBytes(2*maxWindow + 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var group errgroup.Group
	const files = 4 * client.MaxContent / maxWindow
	for i := range files {
		group.Go(func() error {
			return c.Send(ctx, fmt.Sprint("large", i), &enginetest.Source{Content: content, Mtime: day})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		got, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("large", i)))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("large%d has %d bytes, %v", i, len(got), err)
		}
	}
}

// TestWindowKeepsLittle: what a transfer keeps while nothing of it is in flight is counted nowhere.
func TestWindowKeepsLittle(t *testing.T) {
	c := accelerated(t, backends.Config{Remote: startServer(t).remote(t.TempDir())})
	defer c.Close()
	s, err := c.pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.pool.Put(s)
	w := &window{t: &transfer{c: c, s: s, temp: c.partial("f"), chunk: bigChunk}, ctx: t.Context(), m: &resume{}, most: maxWindow}
	if err := w.t.open(t.Context(), client.FlagWrite|client.FlagCreate|client.FlagTrunc); err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at+bigChunk <= maxWindow; at += bigChunk {
		if err := w.send(at, make([]byte, bigChunk)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.confirm(0); err != nil {
		t.Fatal(err)
	}
	if !s.Budget.TryAcquire(client.MaxContent) {
		t.Error("something is in flight")
	}
	if len(w.free) > freeMost {
		t.Errorf("%d chunks are kept", len(w.free))
	}
}
