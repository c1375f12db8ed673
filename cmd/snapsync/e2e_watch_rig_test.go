//go:build linux

package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/loop"
)

// staying is a source, a directory that has to mirror it, and a process that stays: the program itself, which
// TestMain puts in the path.
type staying struct {
	t      *testing.T
	dir    string // of all that is below, and short enough for a socket
	source string
	remote string
	env    []string

	process *exec.Cmd
	ended   chan error
}

// longAgo is when the periodic scan comes: what arrives sooner, events brought.
const longAgo = "12h"

// mapping.timeout is how long something may take that takes a moment, on a machine that has much else to do.
const timeout = time.Minute

func newStaying(t *testing.T) *staying {
	t.Helper()
	dir, err := os.MkdirTemp("", "stay")
	if err != nil {
		t.Fatal(err)
	}
	s := &staying{t: t, dir: dir, source: filepath.Join(dir, "source"), remote: filepath.Join(dir, "remote")}
	s.env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "XDG_RUNTIME_DIR="+dir,
		"RCLONE_CONFIG="+filepath.Join(dir, "rclone.conf"), raceOptions)
	s.must(os.Mkdir(s.source, 0o755))
	t.Cleanup(func() {
		if s.process != nil {
			_ = s.process.Process.Kill()
			<-s.ended
		}
		if t.Failed() {
			t.Logf("what the process said:\n%s", s.said())
		}
		_ = os.RemoveAll(dir)
	})
	return s
}

// start starts the process.
func (s *staying) start(flags ...string) {
	s.t.Helper()
	args := []string{
		"run", s.source, "--remote", s.remote, "--complete-sync", "--max-delete", "100%", "--interval", longAgo,
		"--settle", "100ms", "--delete-delay", "300ms", "--log-level", "INFO",
	}
	s.process = s.command(append(args, flags...)...)
	said, err := os.OpenFile(filepath.Join(s.dir, "said"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	s.must(err)
	defer said.Close()
	s.process.Stdout, s.process.Stderr = said, said
	s.must(s.process.Start())
	process, ended := s.process, make(chan error, 1)
	s.ended = ended
	go func() { ended <- process.Wait(); close(ended) }()
}

// stop ends the process, which has to end well.
func (s *staying) stop() {
	s.t.Helper()
	s.must(s.process.Process.Signal(syscall.SIGTERM))
	if err := <-s.ended; err != nil {
		s.t.Errorf("the process ended with %v", err)
	}
	s.process = nil
}

// said is all that the process has said.
func (s *staying) said() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "said"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *staying) command(args ...string) *exec.Cmd {
	cmd := exec.Command("snapsync", args...)
	cmd.Env = s.env
	return cmd
}

// run runs a command about the mapping to its end.
func (s *staying) run(args ...string) (said string, status int) {
	s.t.Helper()
	out, err := s.command(append(args, s.source, "--remote", s.remote)...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	} else if err != nil {
		status = exit.ExitCode()
	}
	return string(out), status
}

// status is what the process answers; nil: it does not know the mapping yet.
func (s *staying) status() *status.Status {
	s.t.Helper()
	cmd := s.command("status", "--json", s.source, "--remote", s.remote)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && bytes.Contains(exit.Stderr, []byte("it was never synced")) {
		return nil
	} else if err != nil {
		s.t.Fatalf("status: %v\n%s", err, exit.Stderr)
	}
	st := &status.Status{}
	if err := json.Unmarshal(out, st); err != nil {
		s.t.Fatalf("status: %v\n%s", err, out)
	}
	if st.Live == nil {
		return nil
	}
	return st
}

// await waits until the status is as it should be.
func (s *staying) await(what string, is func(*status.Status) bool) *status.Status {
	s.t.Helper()
	var last *status.Status
	s.until(what, func() bool {
		last = s.status()
		return last != nil && is(last)
	})
	return last
}

// until waits for something that nobody tells of.
func (s *staying) until(what string, is func() bool) {
	s.t.Helper()
	for begun := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-s.ended:
			s.t.Fatalf("the process ended while %s was waited for: %v", what, err)
		default:
		}
		if time.Since(begun) > timeout {
			st, _ := json.Marshal(s.status())
			s.t.Fatalf("waited in vain for %s; %s", what, st)
		}
	}
}

// in tells that the mapping is in a state, and nothing is left to be looked at.
func in(state loop.State) func(*status.Status) bool {
	return func(st *status.Status) bool { return st.State == string(state) && st.Live.Hints == 0 }
}

// mirrors waits until the remote holds what the source does.
func (s *staying) mirrors(what string) {
	s.t.Helper()
	var there, here map[string]string
	s.until(what+" at the remote", func() bool {
		there, here = s.files(s.remote), s.files(s.source)
		return maps.Equal(there, here)
	})
}

// files are those of a tree, with what they hold.
func (s *staying) files(root string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		all[rel] = string(text)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may change at this moment
		s.t.Fatal(err)
	}
	return all
}

// write makes a file in the source that holds its own path, or what is given.
func (s *staying) write(path string, content ...string) {
	s.t.Helper()
	full := filepath.Join(s.source, path)
	s.must(os.MkdirAll(filepath.Dir(full), 0o755))
	s.must(os.WriteFile(full, []byte(path+strings.Join(content, "")), 0o644))
}

func (s *staying) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// everywhere checks that status, log and doctor all say what is wrong and how to mend it, in these words.
func (s *staying) everywhere(st *status.Status, words *regexp.Regexp) (found string) {
	s.t.Helper()
	at := slices.IndexFunc(st.Live.Watch.Problems, words.MatchString)
	if at < 0 {
		s.t.Fatalf("no problem is %q: %q", words, st.Live.Watch.Problems)
	}
	found = words.FindString(st.Live.Watch.Problems[at])
	text, status := s.run("status")
	if status != 0 || !strings.Contains(text, found) {
		s.t.Errorf("status ends with %d and does not say %q:\n%s", status, found, text)
	}
	if text, status = s.run("doctor"); status != 1 || !strings.Contains(text, "PROBLEM  watch") || !strings.Contains(text, found) {
		s.t.Errorf("doctor ends with %d and does not say %q:\n%s", status, found, text)
	}
	if !strings.Contains(s.said(), found) {
		s.t.Errorf("the log does not say %q", found)
	}
	return found
}

// inNamespace runs the rest of the test in a process of the same program that is root, of a user namespace of
// its own; flags are further namespaces to make. It returns true in that process.
func inNamespace(t *testing.T, flags uintptr) bool {
	t.Helper()
	const mark = "SNAPSYNC_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	why := regexp.MustCompile(`(?m)^ +\w+\.go:\d+: (cannot .* here: .*)$`).FindSubmatch(out)
	switch {
	case cmd.ProcessState == nil:
		t.Skipf("cannot make a namespace here: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP")) && why != nil:
		t.Skip(string(why[1]))
	case !bytes.Contains(out, []byte("--- PASS: "+t.Name())):
		t.Errorf("it did not run:\n%s", out)
	}
	return false
}
