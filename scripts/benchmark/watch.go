//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The works of watching. Their peer is lsyncd from Debian, which watches as well and has rsync do the
// work; where it is not at hand the table says so.

const (
	settle        = 500 * time.Millisecond // the default
	latencyFiles  = 1_000
	latencyRounds = 200
	burstFiles    = 20_000
	idleFiles     = 1_000_000
	fullIdleTime  = time.Minute
	fullCycles    = 30
	arrivesWithin = 2 * time.Minute
	pollEvery     = 200 * time.Microsecond
)

// watchLatency is the time from the close of a changed file to its content at a local remote.
func watchLatency(b *bench) error {
	source := b.at("latency")
	if err := plant(source, b.n(latencyFiles), filesPerDir, smallFile); err != nil {
		return err
	}
	for _, w := range []struct {
		settle time.Duration
		delay  string // of lsyncd, which knows whole seconds
		aim    time.Duration
	}{{settle, "1", settle + 50*time.Millisecond}, {0, "0", 30 * time.Millisecond}} {
		ours, err := b.watched(source, b.at("latency-ours"), w.settle, func(*stayer) ([]time.Duration, error) {
			return b.latencies(source, b.at("latency-ours"), b.n(latencyRounds))
		})
		if err != nil {
			return err
		}
		peer, err := b.lsyncd(source, b.at("latency-theirs"), w.delay, func() ([]time.Duration, error) {
			return b.latencies(source, b.at("latency-theirs"), b.n(latencyRounds)/4)
		})
		if err != nil {
			return err
		}
		what := fmt.Sprintf("from close to content at a local remote, settle %v", w.settle)
		b.table.within(what+", median", percentile(ours, 50), peerTime(peer, 50, "lsyncd -delay "+w.delay), w.aim)
		b.table.within(what+", 99th percentile of "+thousands(len(ours)), percentile(ours, 99), peerTime(peer, 99, "lsyncd -delay "+w.delay), w.aim)
	}
	return errors.Join(os.RemoveAll(source), b.forget(b.at("latency-ours")), os.RemoveAll(b.at("latency-theirs")))
}

// latencies changes one file after the other.
func (b *bench) latencies(source, remote string, rounds int) (all []time.Duration, err error) {
	for i := range max(rounds, 3) {
		rel, err := filepath.Rel(source, plantedDir(source, i%(b.n(latencyFiles)/filesPerDir+1)))
		if err != nil {
			return nil, err
		}
		name := filepath.Join(rel, fmt.Sprintf("edited-%03d.txt", i%7))
		// A size of its own: rsync takes two files of a size and a second for the same.
		b.edits++
		content := bytes.Repeat([]byte("edited\n"), b.edits)
		if err := os.MkdirAll(filepath.Join(source, rel), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(source, name), content, 0o644); err != nil {
			return nil, err
		}
		closed := time.Now()
		if err := b.arrives(func() bool {
			got, err := os.ReadFile(filepath.Join(remote, name))
			return err == nil && bytes.Equal(got, content)
		}, name); err != nil {
			return nil, err
		}
		all = append(all, time.Since(closed))
		time.Sleep(time.Duration(rand.Int64N(int64(100 * time.Millisecond))))
	}
	slices.Sort(all)
	return all, nil
}

// arrives waits until there is true.
func (b *bench) arrives(there func() bool, what string) error {
	for begun := time.Now(); !there(); time.Sleep(pollEvery) {
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		if time.Since(begun) > arrivesWithin {
			return fmt.Errorf("%s is not on the remote after %v", what, arrivesWithin)
		}
	}
	return nil
}

// watchRename is a directory under another name, which has to be one move.
func watchRename(b *bench) error {
	if err := b.startServers(); err != nil {
		return err
	}
	n := b.n(filesOfRename)
	source := b.at("watch-rename")
	if err := plant(filepath.Join(source, "start"), n, filesPerDir, smallFile); err != nil {
		return err
	}
	served := b.at("servers", "data", "sftp", "watch-renamed")
	for _, r := range []struct{ name, remote, dir string }{
		{"local", b.at("watch-renamed"), b.at("watch-renamed")}, {"SFTP", "tsftp:" + served, served},
	} {
		ours, err := b.watched(source, r.remote, settle, func(*stayer) ([]time.Duration, error) { return b.renames(source, r.dir, n) })
		if err != nil {
			return err
		}
		var peer []time.Duration
		if r.name == "local" {
			if peer, err = b.lsyncd(source, b.at("watch-theirs"), "1", func() ([]time.Duration, error) { return b.renames(source, b.at("watch-theirs"), n) }); err != nil {
				return err
			}
		}
		what := fmt.Sprintf("a directory of %s files renamed while it is watched, %s", thousands(n), r.name)
		b.table.within(what, percentile(ours, 100), peerTime(peer, 100, "lsyncd -delay 1"), settle+time.Second)
	}
	return errors.Join(os.RemoveAll(source), b.forget(b.at("watch-renamed")), os.RemoveAll(b.at("watch-theirs")))
}

func (b *bench) renames(source, remote string, n int) (all []time.Duration, err error) {
	for range max(b.runs, 3) {
		name := fmt.Sprintf("name-%d", time.Now().UnixNano())
		was, err := os.ReadDir(source)
		if err != nil {
			return nil, err
		}
		if err := renameOnly(source, name); err != nil {
			return nil, err
		}
		begun := time.Now()
		next := 0
		err = b.arrives(func() bool {
			next = present(filepath.Join(remote, name), n, next)
			_, gone := os.Lstat(filepath.Join(remote, was[0].Name()))
			return next == n && os.IsNotExist(gone)
		}, name)
		if err != nil {
			return nil, err
		}
		all = append(all, time.Since(begun))
		time.Sleep(time.Second)
	}
	slices.Sort(all)
	return all, nil
}

// present returns how far, from the next-th of n planted files on, they are all there.
func present(root string, n, next int) int {
	for ; next < n; next++ {
		name := filepath.Join(plantedDir(root, next/filesPerDir), fmt.Sprintf("document-%04d.txt", next%filesPerDir))
		if info, err := os.Lstat(name); err != nil || info.Size() != smallFile {
			break
		}
	}
	return next
}

// watchBurst is many new files at once, beside a run that finds them all.
func watchBurst(b *bench) error {
	n := b.n(burstFiles)
	source, ours, theirs := b.at("burst"), b.at("burst-ours"), b.at("burst-theirs")
	if err := os.Mkdir(source, 0o755); err != nil {
		return err
	}
	burst := func(remote string) ([]time.Duration, error) {
		if err := plant(filepath.Join(source, "new"), n, filesPerDir, smallFile); err != nil {
			return nil, err
		}
		ended, next := time.Now(), 0
		err := b.arrives(func() bool { next = present(filepath.Join(remote, "new"), n, next); return next == n }, "new")
		return []time.Duration{time.Since(ended)}, err
	}
	var watching, once, peers []time.Duration
	for range b.runs {
		took, err := b.watched(source, ours, settle, func(*stayer) ([]time.Duration, error) { return burst(ours) })
		if err != nil {
			return err
		}
		watching = append(watching, took...)
		if err := b.forget(ours); err != nil {
			return err
		}
		s, err := b.sync(source, ours)
		if err != nil {
			return err
		}
		once = append(once, s.wall)
		if err := errors.Join(b.forget(ours), os.RemoveAll(filepath.Join(source, "new"))); err != nil {
			return err
		}
		took, err = b.lsyncd(source, theirs, "1", func() ([]time.Duration, error) { return burst(theirs) })
		if err != nil {
			return err
		}
		peers = append(peers, took...)
		if err := errors.Join(os.RemoveAll(theirs), os.RemoveAll(filepath.Join(source, "new"))); err != nil {
			return err
		}
	}
	for _, all := range [][]time.Duration{watching, once, peers} {
		slices.Sort(all)
	}
	what := fmt.Sprintf("%s files created in a burst, all there after the last one", thousands(n))
	b.table.atMost(what, percentile(watching, 50), "`run --once` of the same", percentile(once, 50), 1.2)
	if len(peers) > 0 {
		b.table.faster(what, percentile(watching, 50), "lsyncd -delay 1", percentile(peers, 50), 1)
	}
	return os.RemoveAll(source)
}

// watchIdle is what it costs to watch a large tree in which nothing happens, and then one change at a
// time.
func watchIdle(b *bench) error {
	n := b.n(idleFiles)
	source, ours, theirs := b.at("idle"), b.at("idle-ours"), b.at("idle-theirs")
	if err := plant(source, n, filesPerDir, smallFile); err != nil {
		return err
	}
	if _, err := b.sync(source, ours); err != nil {
		return err
	}
	what := fmt.Sprintf("%s files in %s directories watched", thousands(n), thousands(n/filesPerDir))
	var idle, cycle usage
	_, err := b.watched(source, ours, settle, func(s *stayer) (none []time.Duration, err error) {
		if idle, err = b.idle(s.pid()); err != nil {
			return nil, err
		}
		cycle, err = b.cycles(s, source, ours, n)
		return nil, err
	})
	if err != nil {
		return err
	}
	var peer usage
	if b.hasLsyncd() {
		if _, err := b.do("rsync", "-a", source+"/", theirs); err != nil { // it would need as long itself
			return err
		}
	}
	if _, err := b.lsyncd(source, theirs, "1", func() (none []time.Duration, err error) {
		peer, err = b.idle(b.peerPID)
		return nil, err
	}); err != nil {
		return err
	}
	peerCPU, peerRSS := noLsyncd, noLsyncd
	if b.hasLsyncd() {
		peerCPU, peerRSS = "lsyncd "+percent(peer.cpu, b.idleTime()), fmt.Sprintf("lsyncd %d MB", peer.rss/1e6)
	}
	b.table.aim(what+", idle: processor", percent(idle.cpu, b.idleTime()), peerCPU, "< 0.1 %", idle.cpu < b.idleTime()/1000)
	b.table.aim(what+", idle: memory", fmt.Sprintf("%d MB", idle.rss/1e6), peerRSS, "≤ 200 MB", idle.rss <= 200e6)
	b.table.aim(what+": a change of one, processor", millis(cycle.cpu), fmt.Sprintf("mean of %d", b.cycleRounds()), "< 20 ms", cycle.cpu < 20*time.Millisecond)
	b.table.aim(what+", after the changes: memory", fmt.Sprintf("%d MB", cycle.rss/1e6), "", "≤ 200 MB", cycle.rss <= 200e6)
	return errors.Join(os.RemoveAll(source), b.forget(ours), os.RemoveAll(theirs))
}

func (b *bench) idleTime() time.Duration {
	return max(2*time.Second, time.Duration(float64(fullIdleTime)*b.scale))
}

// idle is what a process needs to do nothing.
func (b *bench) idle(pid int) (usage, error) {
	before, err := usageOf(pid)
	if err != nil {
		return before, err
	}
	select {
	case <-time.After(b.idleTime()):
	case <-b.ctx.Done():
		return before, b.ctx.Err()
	}
	after, err := usageOf(pid)
	after.cpu -= before.cpu
	return after, err
}

func (b *bench) cycleRounds() int { return max(3, int(fullCycles*b.scale)) }

// cycles is what one change costs, in the mean.
func (b *bench) cycles(s *stayer, source, remote string, n int) (usage, error) {
	before, err := usageOf(s.pid())
	if err != nil {
		return before, err
	}
	for round := range b.cycleRounds() {
		i := rand.IntN(n)
		dir := plantedDir("", i/filesPerDir)
		name := filepath.Join(dir, fmt.Sprintf("document-%04d.txt", i%filesPerDir))
		content := []byte("round " + strconv.Itoa(round) + " of the changes")
		if err := os.WriteFile(filepath.Join(source, name), content, 0o644); err != nil {
			return before, err
		}
		if err := b.arrives(func() bool {
			got, err := os.ReadFile(filepath.Join(remote, name))
			return err == nil && bytes.Equal(got, content)
		}, name); err != nil {
			return before, err
		}
		time.Sleep(100 * time.Millisecond) // the end of the cycle is part of it
	}
	after, err := usageOf(s.pid())
	after.cpu = (after.cpu - before.cpu) / time.Duration(b.cycleRounds())
	return after, err
}

// percentile is of sorted durations.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

const noLsyncd = "no lsyncd here: apt-get install lsyncd"

func peerTime(sorted []time.Duration, p int, name string) string {
	if len(sorted) == 0 {
		return ""
	}
	return name + " " + millis(percentile(sorted, p))
}

func millis(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", float64(d)/1e6), "0"), ".") + " ms"
}

func percent(part, whole time.Duration) string {
	return fmt.Sprintf("%.3f %%", 100*part.Seconds()/whole.Seconds())
}
