package sftp

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
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
		if !errors.Is(err, engine.ErrQuota) {
			t.Errorf("files of %d bytes: got %v", size, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range left {
			if engine.IsTempName(e.Name()) {
				t.Errorf("%s takes room that is needed", e.Name())
			}
		}
	}
}
