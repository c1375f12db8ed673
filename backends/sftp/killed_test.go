package sftp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// fatal are Uploads that let something happen once the first piece of a file is confirmed.
type fatal struct {
	*noted
	once sync.Once
	do   func()
}

func (f *fatal) AddPart(path string, p remote.UploadPart, at time.Time) error {
	err := f.noted.AddPart(path, p, at)
	f.once.Do(f.do)
	return err
}

// TestServerKilled kills OpenSSH, its sessions included, within a large file, and starts it again: the file goes
// on where it was.
func TestServerKilled(t *testing.T) {
	serverRemote(t) // so that this is skipped where there are no servers
	dir := t.TempDir()
	servers := func(what string) {
		t.Helper()
		if out, err := exec.Command("../../scripts/servers", what, dir, "sftp").CombinedOutput(); err != nil {
			t.Errorf("servers %s: %v: %s", what, err, out)
		}
	}
	t.Cleanup(func() { servers("stop") })
	servers("start")
	port, err := os.ReadFile(filepath.Join(dir, "run", "sftp.port"))
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	line := startLink(t, "127.0.0.1:"+strings.TrimSpace(string(port)), 0)
	host, linePort, _ := strings.Cut(line.address, ":")
	data := filepath.Join(dir, "data", "sftp")
	target := fmt.Sprintf(":sftp,host=%s,port=%s,user=%s,key_file='%s',shell_type=none,known_hosts_file=none:%s",
		host, linePort, me.Username, filepath.Join(dir, "conf", "user"), data)

	const size = 64 << 20
	src := &enginetest.Source{Content: randomBytes(size), Mtime: day}
	f := &fatal{noted: &noted{}, do: func() { servers("stop") }}
	c := accelerated(t, backends.Config{Remote: target, Uploads: f})
	if err := c.Send(t.Context(), "d/large", src); !errors.Is(err, remote.ErrOffline) {
		t.Fatalf("got %v", err)
	}
	if err := c.Probe(t.Context()); !errors.Is(err, remote.ErrOffline) {
		t.Errorf("probe: got %v", err)
	}
	before := line.bytes()
	left, err := os.Stat(filepath.Join(data, remote.PartialName("d/large")))
	if err != nil {
		t.Fatal(err)
	}
	servers("start")
	if err := c.Send(t.Context(), "d/large", src); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	got, err := os.ReadFile(filepath.Join(data, "d", "large"))
	if err != nil || !bytes.Equal(got, src.Content) {
		t.Errorf("the file has %d bytes, %v", len(got), err)
	}
	if f.len() != 0 {
		t.Error("the upload is still remembered")
	}
	sent := line.bytes() - before
	t.Logf("the server had %d MiB when it was killed; %d MiB were sent before, %d MiB after", left.Size()>>20, before>>20, sent>>20)
	if most := size - left.Size() + maxWindow + 2<<20; sent > most {
		t.Errorf("%d bytes were sent to go on, %d would do", sent, most)
	}
}
