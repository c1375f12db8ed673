package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

func TestLogFileIsReopened(t *testing.T) {
	for name, flags := range map[string]rotationFlags{"plain": {}, "rotated": {LogFileMaxSize: "1M"}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			f, err := newLogFile(path, &flags)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			write(t, f, "one\n")
			if err := os.Rename(path, path+".1"); err != nil { // as logrotate does
				t.Fatal(err)
			}
			write(t, f, "two\n")
			if err := f.reopen(); err != nil {
				t.Fatal(err)
			}
			write(t, f, "three\n")
			for file, want := range map[string]string{path + ".1": "one\ntwo\n", path: "three\n"} {
				if got, err := os.ReadFile(file); err != nil || string(got) != want {
					t.Errorf("%s has %q, %v; want %q", filepath.Base(file), got, err, want)
				}
			}
		})
	}
}

func TestLogFileKeepsItsPlaceWhenItCannotReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := newLogFile(filepath.Join(dir, "log"), &rotationFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := f.reopen(); err == nil {
		t.Fatal("reopened in a directory that is gone")
	}
	write(t, f, "still here\n")
	if got, _ := os.ReadFile(filepath.Join(dir+".away", "log")); string(got) != "still here\n" {
		t.Errorf("got %q", got)
	}
}

func TestLogFileRotates(t *testing.T) {
	dir := t.TempDir()
	f, err := newLogFile(filepath.Join(dir, "log"), &rotationFlags{LogFileMaxSize: "1M", LogFileMaxBackups: 2, LogFileCompress: true})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range 5 * 1024 {
		write(t, f, line)
	}
	f.Close()
	var names []string
	for range 500 { // compressing goes on in the background
		names, err = filepath.Glob(filepath.Join(dir, "log-*.gz"))
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		if err == nil && len(names) == 2 && len(left) == 3 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	all, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(names) != 2 || len(all) != 3 {
		t.Errorf("5 MiB left %q", all)
	}
	for _, name := range all {
		if info, err := os.Stat(name); err != nil || info.Size() > 1<<20 || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v, %v", name, info.Size(), info.Mode(), err)
		}
	}
}

func TestLogFileRefusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, flags := range []rotationFlags{{LogFileMaxSize: "much"}, {LogFileMaxAge: "long"}, {LogFileMaxBackups: -1}} {
		if f, err := newLogFile(path, &flags); exit.Of(err).Status != exit.StatusUsage {
			t.Errorf("%+v: %v, %v", flags, f, err)
		}
	}
}

func write(t *testing.T, f logFile, line string) {
	t.Helper()
	if _, err := f.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
}
