package sftp

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// TestNoSpace fills a small file system behind OpenSSH, whose answer to that is "Failure".
func TestNoSpace(t *testing.T) {
	name, _, _ := strings.Cut(serverRemote(t), ":")
	dir := smallDisk(t)
	c := accelerated(t, backends.Config{Remote: name + ":" + dir, Uploads: &noted{}})
	defer c.Close()
	for _, size := range []int{200 << 10, 20 << 20} {
		var err error
		for i := 0; i < 20 && err == nil; i++ {
			err = c.Send(t.Context(), strings.Repeat("f", i+1), &enginetest.Source{Content: make([]byte, size), Mtime: day})
		}
		if !errors.Is(err, remote.ErrQuota) {
			t.Errorf("files of %d bytes: got %v", size, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range left {
			if remote.IsTempName(e.Name()) {
				t.Errorf("%s takes room that is needed", e.Name())
			}
		}
	}
}

// TestMoveElsewhere moves to another file system beneath the root.
func TestMoveElsewhere(t *testing.T) {
	disk := smallDisk(t)
	c := accelerated(t, backends.Config{Remote: startServer(t).remote(filepath.Dir(disk))})
	defer c.Close()
	send(t, c, "d/f", "content")
	for from, dir := range map[string]bool{"d": true, "d/f": false} {
		err := c.Move(t.Context(), from, filepath.Base(disk)+"/to", dir, nil)
		if !errors.Is(err, remote.ErrCannotMove) {
			t.Errorf("%s: got %v", from, err)
		}
	}
	if _, err := c.Stat(t.Context(), "d/f"); err != nil {
		t.Error(err)
	}
}
