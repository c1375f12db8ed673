package snapshot

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// benchTree returns a tree to measure on: SNAPSYNC_BENCH_TREE if that is set, else one of 20,000
// files in 1,000 directories.
func benchTree(b *testing.B) string {
	if root := os.Getenv("SNAPSYNC_BENCH_TREE"); root != "" {
		return root
	}
	root := b.TempDir()
	for d := range 1000 {
		dir := filepath.Join(root, fmt.Sprintf("d%02d", d/20), fmt.Sprintf("sub%04d", d))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for f := range 20 {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%06d.txt", f*7919)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	return root
}

// walk is what one would write first.
func walk(root string) (n int, err error) {
	err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n++
		_, err = d.Info()
		return err
	})
	return n, err
}

// BenchmarkScan measures passes over one tree, in turn with filepath.WalkDir and Info over the same:
// "walks" is how many of those one pass takes.
func BenchmarkScan(b *testing.B) {
	cfg := Config{Root: benchTree(b), Now: func() time.Time { return time.Now().Add(time.Hour) }}
	first, err := Scan(b.Context(), cfg, Empty{})
	if err != nil {
		b.Fatal(err)
	}
	base := newMemory(b, applied(nil, first.Changes))
	portable := func(b *testing.B) (*Head, error) { return scan(b.Context(), cfg, base, openPortable) }
	for _, pass := range []struct {
		name string
		scan func(*testing.B) (*Head, error)
	}{
		{"unchanged", func(b *testing.B) (*Head, error) { return Scan(b.Context(), cfg, base) }},
		{"portable", portable},
		{"first", func(b *testing.B) (*Head, error) { return Scan(b.Context(), cfg, Empty{}) }},
	} {
		b.Run(pass.name, func(b *testing.B) {
			b.ReportAllocs()
			var scanning, walking time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := pass.scan(b); err != nil {
					b.Fatal(err)
				}
				scanning += time.Since(start)
				b.StopTimer()
				start = time.Now()
				if _, err := walk(cfg.Root); err != nil {
					b.Fatal(err)
				}
				walking += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(scanning.Seconds()/walking.Seconds(), "walks")
		})
	}
}

// BenchmarkFirstHeap reports what the head of a first run occupies.
func BenchmarkFirstHeap(b *testing.B) {
	cfg := Config{Root: benchTree(b)}
	for b.Loop() {
		before := heap()
		head, err := Scan(b.Context(), cfg, Empty{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heap()-before)/float64(len(head.Changes)), "B/change")
		runtime.KeepAlive(head)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
