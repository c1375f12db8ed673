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

// BenchmarkScanWithin measures a look at one file that changed among 100,000, on both systems, in turn
// with an Lstat of the same path and with one full scan: "lstats" is how many of those one look takes,
// "looks/full" how many looks one full scan takes.
func BenchmarkScanWithin(b *testing.B) {
	for _, shape := range []struct {
		name string
		path func(i int) string
	}{
		{"tree", func(i int) string { return fmt.Sprintf("d%02d/sub%04d/file-%06d.txt", i/2000, i/20, i) }},
		{"flat", func(i int) string { return fmt.Sprintf("flat/file-%06d.txt", i) }},
	} {
		b.Run(shape.name, func(b *testing.B) { benchWithin(b, shape.path) })
	}
}

func benchWithin(b *testing.B, path func(i int) string) {
	root := b.TempDir()
	for i := range 100_000 {
		full := filepath.Join(root, path(i))
		if i%20 == 0 {
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(full, nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	cfg := Config{Root: root, Now: func() time.Time { return time.Now().Add(time.Hour) }}
	first, err := Scan(b.Context(), cfg, Empty{})
	if err != nil {
		b.Fatal(err)
	}
	base := newMemory(b, applied(nil, first.Changes))
	changed := path(77_777)
	if err := os.WriteFile(filepath.Join(root, changed), []byte("changed"), 0o644); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if head, err := Scan(b.Context(), cfg, base); err != nil || len(head.Changes) != 1 {
		b.Fatal(head, err)
	}
	all := time.Since(start)
	cfg.Within = []Scope{{Path: changed}}
	for name, open := range systems {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if head, err := scan(b.Context(), cfg, base, open); err != nil || len(head.Changes) != 1 {
					b.Fatal(head, err)
				}
			}
			look := b.Elapsed() / time.Duration(b.N)
			start := time.Now()
			for range 1000 {
				if _, err := os.Lstat(filepath.Join(root, changed)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(look)/float64(time.Since(start)/1000), "lstats")
			b.ReportMetric(float64(all)/float64(look), "looks/full")
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
