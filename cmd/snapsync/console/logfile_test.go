package console

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLogFileIsReopened(t *testing.T) {
	for name, flags := range map[string]Rotation{"plain": {}, "rotated": {MaxBytes: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			f, err := NewLogFile(path, flags)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			write(t, f, "one\n")
			if err := os.Rename(path, path+".1"); err != nil { // as logrotate does
				t.Fatal(err)
			}
			write(t, f, "two\n")
			if err := f.Reopen(); err != nil {
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
	f, err := NewLogFile(filepath.Join(dir, "log"), Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err == nil {
		t.Fatal("reopened in a directory that is gone")
	}
	write(t, f, "still here\n")
	if got, _ := os.ReadFile(filepath.Join(dir+".away", "log")); string(got) != "still here\n" {
		t.Errorf("got %q", got)
	}
}

func TestLogFileRotates(t *testing.T) {
	dir := t.TempDir()
	f, err := NewLogFile(filepath.Join(dir, "log"), Rotation{MaxBytes: 1 << 20, MaxBackups: 2, Compress: true})
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

func write(t *testing.T, f LogFile, line string) {
	t.Helper()
	if _, err := f.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
}
