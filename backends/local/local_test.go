package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
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

// TestHoles has files with zeros in them sent in pieces of all sizes: what is read is what was sent, and the zeros take no space
// where the file system of the test has holes.
func TestHoles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	d, err := openFolder(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for round := range 200 {
		var content []byte
		for range rnd.IntN(6) {
			piece := make([]byte, rnd.IntN(5*block))
			if rnd.IntN(2) == 0 {
				for i := range piece {
					piece[i] = byte(rnd.IntN(3))
				}
			}
			content = append(content, piece...)
		}
		in := &inPieces{content, 1 + rnd.IntN(3*block)}
		if err := d.writeFile(t.Context(), "f", in, int64(len(content))); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("round %d: %d bytes were sent, and %d others arrived, %v", round, len(content), len(got), err)
		}
	}
}

// inPieces is a reader that gives at most n bytes at once.
type inPieces struct {
	rest []byte
	n    int
}

func (r *inPieces) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.n)], r.rest)
	r.rest = r.rest[n:]
	return n, nil
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

// TestLinkInPlaceOfDirectory holds every call to the directory of the remote: what a symbolic link in it leads to, be it
// elsewhere, in the same remote or in the source, is neither written, moved, changed, deleted nor read.
func TestLinkInPlaceOfDirectory(t *testing.T) {
	base := t.TempDir()
	root, outside := filepath.Join(base, "root"), filepath.Join(base, "outside")
	for _, dir := range []string{root + "/inside/sub", outside + "/sub"} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{dir + "/f", filepath.Dir(dir) + "/f"} {
			if err := os.WriteFile(name, []byte("theirs"), 0o640); err != nil {
				t.Fatal(err)
			}
		}
	}
	for link, target := range map[string]string{"out": outside, "up": "../outside", "in": "inside"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	if err := os.WriteFile(root+"/mine", []byte("mine"), 0o640); err != nil {
		t.Fatal(err)
	}
	before := everything(t, base)
	e := enginetest.Text("text", time.Unix(1, 0)).Entry()
	for _, links := range []bool{false, true} {
		l, err := Open(root, links)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{"out", "up", "in", "out/sub", "in/sub"} {
			path := dir + "/f"
			link, _, _ := strings.Cut(dir, "/")
			_, statErr := l.Stat(t.Context(), path)
			_, _, hashErr := l.Hash(t.Context(), path, snapshot.XXH3)
			for name, err := range map[string]error{
				"send": l.Send(t.Context(), path, enginetest.Text("text", time.Unix(1, 0))), "send deeper": l.Send(t.Context(), dir+"/new/f", enginetest.Text("text", time.Unix(1, 0))),
				"move from": l.Move(t.Context(), path, "moved", false, nil), "move to": l.Move(t.Context(), "mine", path, false, nil),
				"move directory": l.Move(t.Context(), "inside", dir+"/new", true, nil), "touch": l.Touch(t.Context(), path, e, nil),
				"mkdir": l.Mkdir(t.Context(), dir+"/new"), "mkdir there": l.Mkdir(t.Context(), dir), "delete": l.Delete(t.Context(), []string{path})[0],
				"rmdir": l.Rmdir(t.Context(), dir+"/sub"), "cleanup": l.Cleanup(t.Context(), path), "stat": statErr, "hash": hashErr,
			} {
				if !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), strconv.Quote(link)) {
					t.Errorf("%s %q: %v", name, path, err)
				}
			}
		}
		err = l.List(t.Context(), func(o remote.Object) error {
			if link, _, beneath := strings.Cut(o.Path, "/"); beneath && link != "inside" {
				t.Errorf("listed: %q", o.Path)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if after := everything(t, base); !maps.Equal(before, after) {
		t.Errorf("there is\n%v\nwas\n%v", after, before)
	}
}

// everything is what there is beneath dir, with content, mode and mtime.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d iofs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		if d.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(content)
		}
		all[path] = fmt.Sprint(info.Mode(), info.ModTime(), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
