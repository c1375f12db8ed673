//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const (
	fullKilledFile = 300e6
	fullKills      = 50
	killedSpeed    = 100 << 20 // bytes a second, as --bwlimit has it
	killedLimit    = "100M"
	someBytes      = 64 << 10 // once these were sent, it has connected and begun

	// partsInFlight is what docs/s3.md says that a crash can lose: upload_concurrency parts of chunk_size,
	// and around them what HTTP adds and what asks for them again.
	partsInFlight = 4 * 8 << 20
	aroundParts   = 1 << 20
)

func killedS3(b *bench) error {
	s, err := b.s3Side()
	if err != nil {
		return err
	}
	return b.killed(s, "the file and its parts in flight", func(size int64) int64 { return size + partsInFlight + aroundParts })
}

func killedSFTP(b *bench) error {
	s, err := b.sftpSide()
	if err != nil {
		return err
	}
	return b.killed(s, "the file and a twentieth", func(size int64) int64 { return size + size/20 })
}

// killed sends a large file, kills the program at a random moment, and starts it again, many times; and
// counts what was sent in all.
func (b *bench) killed(s side, allowed string, most func(size int64) int64) error {
	size := int64(fullKilledFile * b.scale)
	source := b.at("killed")
	if err := plantBig(filepath.Join(source, "disk.img"), size); err != nil {
		return err
	}
	line, count, err := b.counted(s)
	if err != nil {
		return err
	}
	defer count.l.Close()
	kills := max(3, int(fullKills*b.scale))
	var totals []int64
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range kills {
		moment := time.Duration(rng.Float64() * float64(size) / killedSpeed * float64(time.Second))
		total, err := b.killOnce(line, count, source, moment)
		if err != nil {
			return fmt.Errorf("kill %d, %v after its first bytes: %w", i+1, moment.Round(time.Millisecond), err)
		}
		b.say("kill %d after %v: %.1f MB in all", i+1, moment.Round(time.Millisecond), float64(total)/1e6)
		totals = append(totals, total)
	}
	what := fmt.Sprintf("a file of %s MB, %s, killed at a random moment and started again, %d times: sent in all", thousands(int(size/1e6)), s.name, kills)
	b.table.spread(what, totals, allowed, size, most(size))
	return errors.Join(os.RemoveAll(source), os.RemoveAll(s.path("killed")), os.RemoveAll(b.at("state")))
}

// killOnce returns how many bytes were sent to the server until the file was there.
func (b *bench) killOnce(s side, count *counter, source string, moment time.Duration) (int64, error) {
	if err := errors.Join(os.RemoveAll(s.path("killed")), os.RemoveAll(b.at("state"))); err != nil {
		return 0, err
	}
	args := b.oursArgs(source, s.remote("killed"), "--bwlimit", killedLimit)
	before := count.sent.Load()
	cmd := exec.CommandContext(b.ctx, b.snapsync, args...)
	cmd.Env = b.env()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if count.await(b.ctx, before+someBytes, ended) {
		time.Sleep(moment)
		_ = cmd.Process.Kill() // or it was faster
		<-ended
	}
	if _, err := b.do(b.snapsync, args...); err != nil {
		return 0, err
	}
	total := count.sent.Load() - before
	left, err := os.ReadDir(s.path("killed"))
	if err == nil && len(left) != 1 {
		err = fmt.Errorf("%s: %d entries instead of one: %v", s.path("killed"), len(left), left)
	}
	if err == nil {
		_, err = b.do("cmp", filepath.Join(source, "disk.img"), filepath.Join(s.path("killed"), "disk.img"))
	}
	return total, err
}

// spread adds a row for a number of bytes that differs from time to time, and never exceeds most.
func (t *table) spread(what string, all []int64, allowed string, size, most int64) {
	all = slices.Sorted(slices.Values(all))
	at := func(share float64) float64 { return float64(all[int(share*float64(len(all)-1))]) / 1e6 }
	worst := all[len(all)-1]
	t.rows = append(t.rows, row{what,
		fmt.Sprintf("%.1f MB at the least, half ≤ %.1f, 95 of 100 ≤ %.1f, at most %.1f", at(0), at(0.5), at(0.95), at(1)),
		fmt.Sprintf("%s: %.1f MB", allowed, float64(most)/1e6),
		fmt.Sprintf("%.3f × its size", float64(worst)/float64(size)), fmt.Sprintf("≤ %.2f ×", float64(most)/float64(size)), worst <= most})
}
