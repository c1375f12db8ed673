package watch

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

// plant makes n directories, with depth and width as people have them, and some files in each.
func plant(b *testing.B, r *rig, n, files int) {
	b.Helper()
	for i := range n {
		dir := r.at(fmt.Sprintf("area-%d/project-%d/directory-%d", i/1000, i/50%20, i%50))
		r.must(os.MkdirAll(dir, 0o755))
		for f := range files {
			r.must(os.WriteFile(fmt.Sprintf("%s/file-%d", dir, f), nil, 0o644))
		}
	}
}

// BenchmarkOpen shows time and memory to watch a tree, beside fsnotify alone that is given all paths.
func BenchmarkOpen(b *testing.B) {
	for _, size := range []struct{ dirs, files int }{{10_000, 0}, {10_000, 20}, {100_000, 0}} {
		name := fmt.Sprintf("dirs=%d/files=%d", size.dirs, size.dirs*size.files)
		if size.dirs > 10_000 && testing.Short() {
			continue
		}
		r := newRig(b)
		plant(b, r, size.dirs, size.files)
		var paths []string
		b.Run("watch/"+name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				before := heap()
				b.StartTimer()
				w, err := Open(b.Context(), r.cfg, func(hint.Hint) {})
				b.StopTimer()
				r.must(err)
				b.ReportMetric(float64(heap()-before)/float64(w.Health().Watched), "B/dir")
				b.ReportMetric(float64(w.Health().Watched), "dirs")
				if paths == nil {
					paths = w.dirs.notifier.WatchList()
				}
				w.Close()
				b.StartTimer()
			}
		})
		b.Run("fsnotify/"+name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				before := heap()
				b.StartTimer()
				w, err := fsnotify.NewWatcher()
				r.must(err)
				for _, path := range paths {
					r.must(w.Add(path))
				}
				b.StopTimer()
				b.ReportMetric(float64(heap()-before)/float64(len(paths)), "B/dir")
				w.Close()
				b.StartTimer()
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkEvents writes to files and waits for the hints, and shows what the writes cost alone.
func BenchmarkEvents(b *testing.B) {
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprintf("watched=%v", watched), func(b *testing.B) {
			r := newRig(b)
			const files = 5000
			for i := range files {
				r.write(fmt.Sprintf("d/%d", i))
			}
			var hints atomic.Int64
			last := make(chan struct{}, 1)
			if watched {
				w, err := Open(b.Context(), r.cfg, func(h hint.Hint) {
					if hints.Add(1); h.Path == "last" {
						last <- struct{}{}
					}
				})
				r.must(err)
				defer w.Close()
			}
			start, writes := time.Now(), 0
			for b.Loop() {
				path := r.at(fmt.Sprintf("d/%d", writes%files))
				r.must(os.WriteFile(path, []byte("content"), 0o644))
				writes++
			}
			if watched {
				r.write("last")
				<-last
			}
			b.ReportMetric(float64(writes)/time.Since(start).Seconds(), "writes/s")
			b.ReportMetric(float64(hints.Load())/float64(writes), "hints/write")
		})
	}
}

// BenchmarkHandle shows what an event costs from the queue to the hint, for files that were written and
// for some that were made.
func BenchmarkHandle(b *testing.B) {
	for _, op := range []fsnotify.Op{fsnotify.Write, fsnotify.Create} {
		b.Run(op.String(), func(b *testing.B) {
			r := newRig(b)
			paths := make([]string, 1000)
			for i := range paths {
				r.write(fmt.Sprintf("d/%d", i))
				paths[i] = r.at(fmt.Sprintf("d/%d", i))
			}
			hints := 0
			w := newWatcher(r.cfg, func(hint.Hint) { hints++ })
			r.must(w.begin(b.Context()))
			defer w.end()
			n := 0
			for b.Loop() {
				for _, path := range paths {
					w.queue.put(fsnotify.Event{Name: path, Op: op})
				}
				w.handleAll(b.Context(), nil)
				w.batch.flush(b.Context())
				n += len(paths)
			}
			if hints < n {
				b.Fatalf("%d hints of %d events", hints, n)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkRenameTree renames a directory with many in it.
func BenchmarkRenameTree(b *testing.B) {
	r := newRig(b)
	plant(b, r, 20_000, 0)
	r.write("x/")
	for i := range 20 {
		r.rename(fmt.Sprintf("area-%d", i), fmt.Sprintf("x/area-%d", i))
	}
	hints := make(chan hint.Hint, 1000)
	w, err := Open(b.Context(), r.cfg, func(h hint.Hint) { hints <- h })
	r.must(err)
	defer w.Close()
	from, to := "x", "y"
	for b.Loop() {
		r.rename(from, to)
		for h := range hints {
			if h.Path == to && h.Deep {
				break
			}
		}
		from, to = to, from
	}
	b.ReportMetric(float64(w.Health().Overflows), "overflows")
	b.ReportMetric(float64(w.Health().Watched), "dirs")
}
