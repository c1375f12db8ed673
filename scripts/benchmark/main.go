//go:build linux

// Command benchmark measures snapsync beside the programs that people use today, in one run, on one
// machine, on the same data, and prints a table of ratios. scripts/bench starts it.
//
//	scripts/bench              all works, at full size: some two hours and 30 GB of disk
//	scripts/bench NAME…        only these: see -list
//	scripts/bench --readme     put the table into README.md as well, between its markers; with names only these rows
//
// Seconds say little outside of the machine that they were taken on; ratios of two programs that
// were run in turns say something. So every work runs snapsync and its peer alternately, takes the
// median of each, and divides. The peers are find, which does no more than to look at every file,
// and rclone of the very version that is in our go.mod, at the same number of transfers. For watching it
// is lsyncd; there the aims are times, since what is measured is mostly waiting.
// Everything happens in a temporary directory and on servers of its own (scripts/servers).
//
// BENCH_SCALE=0.01 makes every tree a hundredth of its size, to see that the benchmarks themselves
// work: such figures mean nothing, and are not put into the README. BENCH_RUNS is how often each
// program runs, BENCH_DIR where.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
)

// work is one line, or a few, of the table.
type work struct {
	name string
	does string
	run  func(*bench) error
}

var works = []work{
	{"first", "a first run of 1,000,000 small files to a local directory; then nothing changed", first},
	{"servers", "nothing changed among 50,000 files on SFTP and on S3", servers},
	{"changed", "1,000 changed among 200,000 files", changed},
	{"big", "one file of 4 GB", big},
	{"rename", "a renamed directory of 10,000 files", rename},
	{"rename-files", "10,000 files renamed one by one on SFTP", renameFiles},
	{"watch-latency", "from the close of a changed file to its content at a local remote, while it is watched", watchLatency},
	{"watch-rename", "a directory of 10,000 files renamed while it is watched", watchRename},
	{"watch-burst", "20,000 files created in a burst while it is watched", watchBurst},
	{"watch-idle", "1,000,000 files watched: nothing happens, then one change at a time", watchIdle},
	{"small-sftp", "a first run of 10,000 files of 16 bytes to SFTP", smallSFTP},
	{"small-sftp-latency", "the same of 1,000 files over a line of 20 ms each way", smallSFTPFar},
	{"small-s3", "a first run of 10,000 files of 16 bytes to S3", smallS3},
	{"small-s3-latency", "the same of 1,000 files over a line of 20 ms each way", smallS3Far},
	{"big-servers", "one file of 2 GB to SFTP and to S3", heavy},
	{"killed-s3", "300 MB to S3, killed at a random moment and started again, 50 times", killedS3},
	{"killed-sftp", "300 MB to SFTP, killed at a random moment and started again, 50 times", killedSFTP},
	{"delete-s3", "10,000 objects deleted", deletes},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	readme := flag.Bool("readme", false, "put the table into README.md")
	list := flag.Bool("list", false, "list the works")
	flag.Parse()
	if *list {
		for _, w := range works {
			fmt.Printf("%-18s %s\n", w.name, w.does)
		}
		return nil
	}
	chosen, err := choose(flag.Args())
	if err != nil {
		return err
	}
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, w := range chosen {
		b.say("%s: %s", w.name, w.does)
		had := len(b.table.rows)
		if err := w.run(b); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		for _, r := range b.table.rows[had:] { // an hour is long to wait for the table
			b.say("%s: %s; %s; %s; %s", r.what, r.ours, r.peer, r.ratio, r.aim)
		}
	}
	fmt.Print(b.table.String())
	if !*readme {
		return nil
	}
	if b.scale != 1 {
		return errors.New("update README.md: only trees at full size say enough")
	}
	return b.table.update("README.md", len(chosen) != len(works))
}

func choose(names []string) ([]work, error) {
	if len(names) == 0 {
		return works, nil
	}
	var chosen []work
	for _, name := range names {
		found := false
		for _, w := range works {
			if w.name == name {
				chosen, found = append(chosen, w), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no work %q: see -list", name)
		}
	}
	return chosen, nil
}

// bench is what all works share.
type bench struct {
	ctx              context.Context
	dir              string // everything is beneath
	scale            float64
	runs             int
	snapsync, rclone string // the programs
	serversUp        bool
	peerPID          int // of lsyncd while it is measured
	edits            int // of files, until now
	table            table
}

func newBench(ctx context.Context) (*bench, error) {
	b := &bench{ctx: ctx, scale: 1, runs: 3}
	var err error
	if s := os.Getenv("BENCH_SCALE"); s != "" {
		if b.scale, err = strconv.ParseFloat(s, 64); err != nil || b.scale <= 0 || b.scale > 1 {
			return nil, fmt.Errorf("BENCH_SCALE %q: want a number above 0 and up to 1", s)
		}
	}
	if s := os.Getenv("BENCH_RUNS"); s != "" {
		if b.runs, err = strconv.Atoi(s); err != nil || b.runs < 1 {
			return nil, fmt.Errorf("BENCH_RUNS %q: want a number from 1", s)
		}
	}
	if b.dir, err = os.MkdirTemp(os.Getenv("BENCH_DIR"), "snapsync-bench-"); err != nil {
		return nil, err
	}
	b.table = table{about: b.about(), judge: b.scale == 1}
	if err := b.build(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	return b, nil
}

// build makes the programs as they are released: all backends, no cgo.
func (b *bench) build() error {
	b.snapsync, b.rclone = filepath.Join(b.dir, "snapsync"), filepath.Join(b.dir, "rclone")
	b.say("building both programs")
	for _, p := range [][2]string{{b.snapsync, "./cmd/snapsync"}, {b.rclone, "github.com/rclone/rclone"}} {
		if _, err := b.do("env", "CGO_ENABLED=0", "go", "build", "-o", p[0], p[1]); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) close() error {
	var err error
	if b.serversUp {
		b.ctx = context.WithoutCancel(b.ctx)
		_, err = b.do("scripts/servers", "stop", b.at("servers"))
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// at is a path in the directory of this run.
func (b *bench) at(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

// n scales a number of files.
func (b *bench) n(full int) int { return max(10, int(float64(full)*b.scale)) }

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
