package s3

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// BenchmarkSendSmall sends files of 16 bytes, as many at once as Caps ask for: through this Connection,
// and through rclone's interface. The server takes its share of the same processors.
func BenchmarkSendSmall(b *testing.B) {
	for name, generic := range map[string]bool{"Accelerated": false, "Generic": true} {
		b.Run(name, func(b *testing.B) {
			c, err := backends.Open(b.Context(), config(b, backends.Config{Remote: scratch(b), Generic: generic}))
			must(b, err)
			defer c.Close()
			benchmarkSend(b, c)
		})
	}
}

func benchmarkSend(b *testing.B, c remote.Connection) {
	var n atomic.Int64
	b.SetParallelism(client.Transfers / 2)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			path := fmt.Sprintf("d%d/f%d", n.Add(1)/20, n.Load())
			if err := c.Send(b.Context(), path, enginetest.Text("0123456789abcdef", day)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
