//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stayer is a program that watches until it is told to end.
type stayer struct {
	cmd    *exec.Cmd
	out    bytes.Buffer
	ended  chan error
	cancel context.CancelFunc
}

const (
	readyWithin = 5 * time.Minute
	readyEvery  = 200 * time.Millisecond
	endsWithin  = 15 * time.Second
)

func (b *bench) stay(name string, args ...string) (*stayer, error) {
	s := &stayer{ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(b.ctx)
	s.cancel = cancel
	s.cmd = exec.CommandContext(ctx, name, args...)
	s.cmd.Env = b.env()
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = endsWithin
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	go func() { s.ended <- s.cmd.Wait() }()
	return s, nil
}

func (s *stayer) pid() int { return s.cmd.Process.Pid }

// end tells it to, and waits. It is no error that it dies of that.
func (s *stayer) end() {
	s.cancel()
	<-s.ended
}

// await returns when ready is true; an error if the program ends before.
func (s *stayer) await(b *bench, ready func() (bool, error)) error {
	for begun := time.Now(); ; {
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("%s ended: %w\n%s", s.cmd, err, tail(s.out.String()))
		case <-b.ctx.Done():
			return b.ctx.Err()
		case <-time.After(readyEvery):
		}
		ok, err := ready()
		if ok || err != nil {
			return err
		}
		if time.Since(begun) > readyWithin {
			return fmt.Errorf("%s is not ready after %v", s.cmd, readyWithin)
		}
	}
}

// watched measures while snapsync watches, from when it is idle on.
func (b *bench) watched(source, remote string, settle time.Duration, measure func(*stayer) ([]time.Duration, error)) (all []time.Duration, err error) {
	s, err := b.stay(b.snapsync, "run", "-q", "--complete-sync", "--max-delete", "100%", "--transfers", transfers,
		"--settle", settle.String(), source, "--remote", remote)
	if err != nil {
		return nil, err
	}
	defer s.end()
	err = s.await(b, func() (bool, error) {
		_, out, err := b.output(b.snapsync, "status", "--json", source, "--remote", remote)
		return err == nil && strings.Contains(out, `"state":"idle"`), nil // an error: it has no state yet
	})
	if err != nil {
		return nil, err
	}
	if all, err = measure(s); err != nil {
		err = fmt.Errorf("%s: %w", s.cmd, err)
	}
	return all, err
}

func (b *bench) hasLsyncd() bool {
	_, err := exec.LookPath("lsyncd")
	return err == nil
}

// lsyncd measures while lsyncd watches; nothing, if it is not there.
func (b *bench) lsyncd(source, target, delay string, measure func() ([]time.Duration, error)) (all []time.Duration, err error) {
	if !b.hasLsyncd() {
		b.say(noLsyncd)
		return nil, nil
	}
	log := b.at("lsyncd.log")
	if err := errors.Join(os.RemoveAll(log), os.MkdirAll(target, 0o755)); err != nil {
		return nil, err
	}
	s, err := b.stay("lsyncd", "-nodaemon", "-delay", delay, "-logfile", log, "-rsync", source, target)
	if err != nil {
		return nil, err
	}
	defer s.end()
	if err := s.await(b, func() (bool, error) {
		text, err := os.ReadFile(log)
		return strings.Contains(string(text), "finished"), ignoreMissing(err)
	}); err != nil {
		return nil, err
	}
	b.peerPID = s.pid()
	if all, err = measure(); err != nil {
		err = fmt.Errorf("%s: %w", s.cmd, err)
	}
	return all, err
}

func ignoreMissing(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// usage is what a process has needed until now.
type usage struct {
	cpu time.Duration
	rss int64 // resident bytes at present
}

func usageOf(pid int) (u usage, err error) {
	// The clock of another process's processor time: clock_getcpuclockid(3) makes its number like this.
	// Ticks, as in /proc/PID/stat, would be too coarse for what is aimed at.
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil {
		return u, fmt.Errorf("read the processor time of %d: %w", pid, err)
	}
	u.cpu = time.Duration(t.Nano())
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			u.rss = kb << 10
			return u, err
		}
	}
	return u, fmt.Errorf("no VmRSS of %d", pid)
}
