package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOutputHasNoReader keeps a process at work while whoever reads its stdout and stderr goes, or stands still: what changes arrives,
// and the process ends in time when it is told to.
func TestOutputHasNoReader(t *testing.T) {
	for _, gone := range []bool{true, false} {
		for _, flag := range []string{"-v", "--json"} {
			t.Run(fmt.Sprintf("gone=%v%s", gone, flag), func(t *testing.T) {
				s := newStaying(t)
				reader, writer, err := os.Pipe()
				s.must(err)
				defer reader.Close()
				_, err = unix.FcntlInt(writer.Fd(), unix.F_SETPIPE_SZ, 4096)
				s.must(err)
				s.must(os.WriteFile(filepath.Join(s.source, "first"), nil, 0o600))
				s.process = s.command("run", s.source, "--remote", s.remote, "--settle", "50ms", flag)
				s.process.Stdout, s.process.Stderr = writer, writer
				s.must(s.process.Start())
				writer.Close()
				process, ended := s.process, make(chan error, 1)
				s.ended = ended
				go func() { ended <- process.Wait(); close(ended) }()
				s.arrives("first")
				if gone {
					reader.Close()
				}
				for i := range 60 {
					s.must(os.WriteFile(filepath.Join(s.source, fmt.Sprintf("%060d", i)), nil, 0o600))
				}
				s.arrives(fmt.Sprintf("%060d", 59))
				s.must(os.WriteFile(filepath.Join(s.source, "last"), nil, 0o600))
				s.arrives("last")
				told := time.Now()
				s.stop()
				if took := time.Since(told); took > 10*time.Second {
					t.Errorf("the end took %v", took)
				}
			})
		}
	}
}

// TestOnceWithoutReader is `run --once --json | head -0`: it does its work, and ends with the status of that.
func TestOnceWithoutReader(t *testing.T) {
	s := newStaying(t)
	s.must(os.WriteFile(filepath.Join(s.source, "a"), []byte("a"), 0o600))
	reader, writer, err := os.Pipe()
	s.must(err)
	s.must(reader.Close())
	cmd := s.command("run", "--once", s.source, "--remote", s.remote, "--json")
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = writer, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("it ended with %v and said %q", err, complaints.String())
	}
	s.must(writer.Close())
	if _, err := os.Stat(filepath.Join(s.remote, "a")); err != nil {
		t.Error(err)
	}
}

// arrives waits until the remote has a file.
func (s *staying) arrives(name string) {
	s.t.Helper()
	for end := time.Now().Add(timeout); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.remote, name)); err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s did not arrive", name)
		}
	}
}
