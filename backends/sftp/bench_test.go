package sftp

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// BenchmarkSendSmall sends small files to the OpenSSH that scripts/servers has started, as many at once as
// the engine would, through each of the two Connections.
func BenchmarkSendSmall(b *testing.B) {
	remote := serverRemote(b)
	for _, generic := range []bool{false, true} {
		b.Run(fmt.Sprintf("generic=%v", generic), func(b *testing.B) {
			c, err := backends.Open(b.Context(), backends.Config{
				Remote: remote + "/bench-" + strings.ToLower(rand.Text()[:10]), Generic: generic,
			})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.ResetTimer()
			sendAll(b, c, b.N, 16)
		})
	}
}

func sendAll(b *testing.B, c remote.Connection, n, size int) {
	content := strings.Repeat("x", size)
	var group errgroup.Group
	group.SetLimit(max(8, c.Caps().Transfers))
	for i := range n {
		group.Go(func() error {
			return c.Send(b.Context(), fmt.Sprintf("d%d/f%d", i/500, i), enginetest.Text(content, day))
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSendLarge streams one file.
func BenchmarkSendLarge(b *testing.B) {
	c, err := backends.Open(b.Context(), backends.Config{Remote: serverRemote(b) + "/bench-" + strings.ToLower(rand.Text()[:10])})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	src := &enginetest.Source{Content: randomBytes(256 << 20), Mtime: day}
	b.SetBytes(int64(len(src.Content)))
	for b.Loop() {
		if err := c.Send(b.Context(), "large", src); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendOne sends small files one after the other, as a process that watches does.
func BenchmarkSendOne(b *testing.B) {
	c, err := backends.Open(b.Context(), backends.Config{Remote: serverRemote(b) + "/bench-" + strings.ToLower(rand.Text()[:10])})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for i := 0; b.Loop(); i++ {
		if err := c.Send(b.Context(), fmt.Sprint("f", i), enginetest.Text("content", day)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen connects.
func BenchmarkOpen(b *testing.B) {
	remote := serverRemote(b)
	for b.Loop() {
		c, err := backends.Open(b.Context(), backends.Config{Remote: remote})
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
