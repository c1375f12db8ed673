package local

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

func TestContract(t *testing.T) {
	for name, links := range map[string]bool{"Plain": false, "Links": true} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				root := filepath.Join(t.TempDir(), "not", "yet")
				l, err := Open(root, links)
				if err != nil {
					t.Fatal(err)
				}
				read := func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(root, filepath.FromSlash(path))) }
				return enginetest.Subject{Connection: l, Read: read, Links: links}
			})
		})
	}
}

func TestFlushMissingRoot(t *testing.T) {
	l, err := Open(filepath.Join(t.TempDir(), "not", "there"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// onFirstRead calls fn when its reader is first read from.
type onFirstRead struct {
	io.Reader
	fn func()
}

func (r *onFirstRead) Read(p []byte) (int, error) {
	if r.fn != nil {
		r.fn()
		r.fn = nil
	}
	return r.Reader.Read(p)
}

// TestReserveKeepsSize holds rclone to what writeFile relies on: a file is never larger than what was
// written to it, however much space is reserved.
func TestReserveKeepsSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	content := make([]byte, 2*preallocateFrom)
	looked := false
	in := &onFirstRead{bytes.NewReader(content), func() {
		looked = true
		if info, err := os.Stat(name); err != nil || info.Size() != 0 {
			t.Errorf("before the first byte is written the size is %d, %v", info.Size(), err)
		}
	}}
	if err := new(Connection).writeFile(t.Context(), name, in, int64(len(content))); err != nil || !looked {
		t.Fatal(err, looked)
	}
}

// TestLocalRootThatGoes removes the root while it is in use: it is not made again beneath what may be
// only a mount point.
func TestLocalRootThatGoes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	l, err := Open(root, false)
	if err != nil {
		t.Fatal(err)
	}
	if places, err := l.Places(); err != nil || len(places) != 1 || places[0].There {
		t.Fatalf("before anything was sent: %+v, %v", places, err)
	}
	if err := l.Mkdir(t.Context(), "dir"); err != nil {
		t.Fatal(err)
	}
	places, err := l.Places()
	if err != nil || !places[0].There || places[0].Path != root || !strings.HasPrefix(root, places[0].Mount) {
		t.Fatalf("once it is there: %+v, %v", places, err)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if err := l.Mkdir(t.Context(), "dir"); !errors.Is(err, remote.ErrOffline) {
		t.Errorf("make a directory: %v", err)
	}
	if err := l.Send(t.Context(), "a/b", enginetest.Text("text", time.Unix(1, 0))); !errors.Is(err, remote.ErrOffline) {
		t.Errorf("send: %v", err)
	}
	if _, err := os.Lstat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the root was made again: %v", err)
	}
}
