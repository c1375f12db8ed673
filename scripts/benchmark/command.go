//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// sample is what one run of a program took.
type sample struct {
	wall time.Duration
	rss  int64 // peak resident memory in bytes
}

// do runs a command that must succeed. What it printed comes with the error only.
func (b *bench) do(name string, args ...string) (sample, error) {
	s, _, err := b.output(name, args...)
	return s, err
}

func (b *bench) output(name string, args ...string) (sample, string, error) {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Env = b.env()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	if name == "find" {
		cmd.Stdout = nil // a gigabyte that nobody reads
	}
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return sample{}, "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, tail(out.String()), tail(bad.String()))
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return sample{time.Since(started), usage.Maxrss << 10}, out.String(), nil
}

func (b *bench) env() []string {
	return append(os.Environ(), "XDG_STATE_HOME="+b.at("state"), "XDG_RUNTIME_DIR="+b.dir, "RCLONE_CONFIG="+b.config())
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

func (b *bench) config() string {
	if b.serversUp {
		return b.at("servers", "rclone.conf")
	}
	return b.at("rclone.conf")
}

// transfers is the number that both programs get.
const transfers = "8"

func (b *bench) sync(source, remote string, flags ...string) (sample, error) {
	return b.do(b.snapsync, b.syncArgs(source, remote, flags...)...)
}

func (b *bench) syncArgs(source, remote string, flags ...string) []string {
	return append([]string{"run", "--once", "-q", "--complete-sync", "--max-delete", "100%", "--transfers", transfers,
		source, "--remote", remote}, flags...)
}

func (b *bench) rcloneDo(verb, source, remote string, flags ...string) (sample, error) {
	return b.do(b.rclone, append([]string{verb, "-q", "--transfers", transfers, source, remote}, flags...)...)
}

// step is one program's part of a work. ready, if there is one, runs before each clock starts: it
// brings the source to the state of that round, whoever was first in the round.
type step struct {
	ready func(round int) error
	run   func() (sample, error)
}

// inTurns runs the steps alternately, in changing order, and returns the median of each: of its
// time, and of its memory.
func (b *bench) inTurns(runs int, steps ...step) ([]sample, error) {
	all := make([][]sample, len(steps))
	for round := range runs {
		for i := range steps {
			i = (i + round) % len(steps)
			if steps[i].ready != nil {
				if err := steps[i].ready(round); err != nil {
					return nil, err
				}
			}
			syscall.Sync() // what the one before left to write is not this one's burden
			s, err := steps[i].run()
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], s)
		}
	}
	medians := make([]sample, len(steps))
	for i, samples := range all {
		medians[i] = median(samples)
	}
	return medians, nil
}

func median(samples []sample) sample {
	var wall []time.Duration
	var rss []int64
	for _, s := range samples {
		wall, rss = append(wall, s.wall), append(rss, s.rss)
	}
	slices.Sort(wall)
	slices.Sort(rss)
	middle := (len(samples) - 1) / 2
	return sample{wall[middle], rss[middle]}
}
