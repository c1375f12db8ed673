package journal

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// The benchmarks report, beside the time, a ratio against a plain baseline measured in the same run:
// the same bytes through the same SQLite without anything of ours. Time on this machine means little.

const (
	benchDirs   = 50_000
	benchPerDir = 20
	benchGroup  = 1000
)

func benchDir(i int) string { return fmt.Sprintf("dir%03d/sub%05d", i/50, i) }

func benchPath(i int) string {
	return fmt.Sprintf("%s/file%07d.txt", benchDir(i/benchPerDir), i)
}

func benchEntry(i int) *snapshot.Entry {
	n := uint64(i) * 0x9e3779b97f4a7c15
	e := &snapshot.Entry{
		Kind: snapshot.File, HashType: snapshot.XXH3, Mode: 0o644, Size: int64(n % 100_000),
		Mtime: 1_700_000_000_000_000_000 + int64(i), Ctime: 1_700_000_000_000_000_000 + int64(i), Dev: 65024, Ino: uint64(i),
	}
	for k := range e.Hash {
		e.Hash[k] = byte(n >> (k % 8 * 8))
	}
	return e
}

func openBench(b *testing.B) *Journal {
	b.Helper()
	j, err := Open(filepath.Join(b.TempDir(), "journal.db"), Mapping{"/src", "dst:"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	return j
}

func fillBench(b *testing.B, j *Journal) {
	b.Helper()
	err := j.Adopt(b.Context(), func(add func(string, snapshot.Entry) error) error {
		for i := range benchDirs * benchPerDir {
			if err := add(benchPath(i), *benchEntry(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkReader reads a base of 1,000,000 rows directory by directory, as a scan does. The baseline
// is one statement over the table that touches the same two columns.
func BenchmarkReader(b *testing.B) {
	j := openBench(b)
	fillBench(b, j)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				readAll(b, j, workers)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(plainScan(b, j)), "×plain")
		})
	}
}

func readAll(b *testing.B, j *Journal, workers int) {
	var wg sync.WaitGroup
	rows := make([]int, workers)
	for w := range workers {
		wg.Go(func() {
			r, err := j.Reader()
			if err != nil {
				b.Error(err)
				return
			}
			defer r.Close()
			for d := w; d < benchDirs; d += workers {
				rows[w] += readDir(b, r, benchDir(d))
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range rows {
		sum += n
	}
	if sum != benchDirs*benchPerDir {
		b.Errorf("read %d rows", sum)
	}
}

func readDir(tb testing.TB, r snapshot.BaseReader, dir string) (n int) {
	if err := r.Open(dir); err != nil {
		tb.Error(err)
	}
	for {
		name, _, err := r.Next()
		if err != nil {
			tb.Error(err)
		}
		if name == nil {
			return n
		}
		n++
	}
}

// BenchmarkFind finds one file after the other in a base of 1,000,000 rows, in directories of 20 and in
// one of 100,000. The baseline is the same statement, without the reader.
func BenchmarkFind(b *testing.B) {
	j := openBench(b)
	fillBench(b, j)
	const flat = 100_000
	many := make([]Refresh, flat)
	for i := range many {
		many[i] = Refresh{Path: fmt.Sprintf("flat/file%07d.txt", i), Entry: benchEntry(i)}
	}
	if err := j.Repair(many); err != nil {
		b.Fatal(err)
	}
	for _, shape := range []struct {
		name string
		path func(i int) string
	}{
		{"tree", func(i int) string { return benchPath(i * 7919 % (benchDirs * benchPerDir)) }},
		{"flat", func(i int) string { return many[i*7919%flat].Path }},
	} {
		b.Run(shape.name, func(b *testing.B) {
			r, err := j.Reader()
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if e, err := r.Find(snapshot.Split(shape.path(i))); err != nil || e == nil {
					b.Fatal(shape.path(i), e, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(plainFind(b, j, shape.path)), "×plain")
		})
	}
}

// plainFind returns how long it takes to find one row.
func plainFind(b *testing.B, j *Journal, path func(i int) string) time.Duration {
	const n = 10_000
	begun := time.Now()
	if err := j.db.Read("find", func(c database.Conn) error {
		for i := range n {
			dir, name := snapshot.Split(path(i))
			s := c.Prepare("SELECT entry FROM base WHERE dir = ? AND name = ?").Text(dir).Text(name)
			if err := s.Each(func(database.Row) error { return nil }); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun) / n
}

func plainScan(b *testing.B, j *Journal) time.Duration {
	begun := time.Now()
	n := 0
	buf := make([]byte, 256)
	if err := j.db.Read("scan", func(c database.Conn) error {
		return c.Query("SELECT name, entry FROM base", func(s database.Row) error {
			s.ColumnBytes(0, buf)
			n += s.ColumnBytes(1, buf)
			return nil
		})
	}); err != nil || n == 0 {
		b.Fatal(err, n)
	}
	return time.Since(begun)
}

// BenchmarkFirstRun plans and acknowledges 1,000,000 sends in groups of 1000. The baseline writes the
// same files into one table of the same shape, in groups of the same size.
func BenchmarkFirstRun(b *testing.B) {
	const files = benchDirs * benchPerDir
	for b.Loop() {
		j := openBench(b)
		begun := time.Now()
		p := Plan{Steps: make([]Step, files)}
		for i := range p.Steps {
			p.Steps[i] = Step{Action: Send, How: Upload, Reason: New, Path: benchPath(i), New: benchEntry(i)}
		}
		made := time.Since(begun)
		cycle, err := j.Begin(p, nil, begun)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Since(begun)
		ackAll(b, j)
		acked := time.Since(begun)
		if err := j.Finish(cycle, CycleResult{Outcome: OutcomeIdle}, nil, time.Now()); err != nil {
			b.Fatal(err)
		}
		ours := time.Since(begun) - made
		b.ReportMetric((began - made).Seconds(), "s/begin")
		b.ReportMetric((acked - began).Seconds(), "s/ack")
		b.ReportMetric(float64(ours)/float64(plainInsert(b)), "×plain")
	}
}

func ackAll(b *testing.B, j *Journal) {
	for after := int64(0); ; {
		steps, err := j.Pending(after, benchGroup)
		if err != nil {
			b.Fatal(err)
		}
		if len(steps) == 0 {
			return
		}
		after = steps[len(steps)-1].Seq
		done := make([]Done, len(steps))
		for i := range steps {
			done[i] = Done{Step: steps[i], Entry: steps[i].New, At: time.Now()}
		}
		if err := j.Claim(after); err != nil {
			b.Fatal(err)
		}
		if err := j.Ack(done); err != nil {
			b.Fatal(err)
		}
	}
}

func plainInsert(b *testing.B) time.Duration {
	j := openBench(b)
	begun := time.Now()
	for i := 0; i < benchDirs*benchPerDir; i += benchGroup {
		if err := j.db.Write("insert", func(t *database.Tx) error {
			for k := i; k < i+benchGroup; k++ {
				dir, name := snapshot.Split(benchPath(k))
				s := t.Prepare("REPLACE INTO base (dir, name, entry) VALUES (?, ?, ?)").Text(dir).Text(name).Entry(benchEntry(k))
				if err := s.Run(); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun)
}

// BenchmarkMoveDir moves a directory of 10,000 files in a base of 1,000,000.
func BenchmarkMoveDir(b *testing.B) {
	j := openBench(b)
	fillBench(b, j)
	moved := make([]Refresh, 10_000)
	for i := range moved {
		moved[i] = Refresh{Path: fmt.Sprintf("old/%03d/%05d", i/100, i), Entry: benchEntry(i)}
	}
	if err := j.Repair(moved); err != nil {
		b.Fatal(err)
	}
	from, to := "old", "new"
	dir := &snapshot.Entry{Kind: snapshot.Dir}
	for b.Loop() {
		s := Step{Action: Move, Reason: Renamed, From: from, Path: to, Dir: true, Old: dir, New: dir}
		if err := j.Ack([]Done{{Step: s, Entry: dir, At: time.Now()}}); err != nil {
			b.Fatal(err)
		}
		from, to = to, from
	}
}
