package backends

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// onDisk is a Source that reads a file without looking after it: the benchmark is about the remote.
type onDisk struct {
	name string
	size int64
}

func (s onDisk) Open() (io.ReadCloser, error) { return os.Open(s.name) }
func (s onDisk) Entry() snapshot.Entry {
	return snapshot.Entry{Kind: snapshot.File, Size: s.size, Mtime: time.Now().UnixNano()}
}

// BenchmarkSendSmall sends small files with four workers, through each of the two Connections. Its
// yardstick, in the same run, is what any program must do: create, write, close, set the mtime, rename.
func BenchmarkSendSmall(b *testing.B) {
	const workers, size = 4, 1024
	name := filepath.Join(b.TempDir(), "source")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, send func(path string) error) {
		var group errgroup.Group
		group.SetLimit(workers)
		for i := range b.N {
			group.Go(func() error { return send(fmt.Sprintf("d%d/f%d", i/100, i)) })
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	for kind, options := range map[string]map[string]string{"local": nil, "generic": generically} {
		b.Run(kind, func(b *testing.B) {
			c, err := Open(b.Context(), Config{Remote: b.TempDir(), Rclone: rclone.Options{Options: options}})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			run(b, func(path string) error { return c.Send(b.Context(), path, onDisk{name, size}) })
		})
	}
	b.Run("yardstick", func(b *testing.B) {
		root := b.TempDir()
		run(b, func(path string) error { return yardstick(name, filepath.Join(root, path)) })
	})
}

func yardstick(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	now := time.Now()
	return errors.Join(os.WriteFile(to+".partial", content, 0o666), os.Chtimes(to+".partial", now, now), os.Rename(to+".partial", to))
}

// BenchmarkSendLarge sends one file of 256 MiB that is in the page cache.
func BenchmarkSendLarge(b *testing.B) {
	const size = 256 << 20
	name := filepath.Join(b.TempDir(), "source")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		b.Fatal(err)
	}
	for kind, options := range map[string]map[string]string{"local": nil, "generic": generically} {
		b.Run(kind, func(b *testing.B) {
			c, err := Open(b.Context(), Config{Remote: b.TempDir(), Rclone: rclone.Options{Options: options}})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			b.SetBytes(size)
			for range b.N {
				if err := c.Send(b.Context(), "large", onDisk{name, size}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var _ remote.Source = onDisk{}
