package s3

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/remote"
)

// ownServer is an S3 server of this test alone, which it may kill and start again.
type ownServer struct {
	t   *testing.T
	dir string
}

func startOwnServer(t *testing.T) *ownServer {
	t.Helper()
	server(t) // so that this is skipped where there are none
	s := &ownServer{t: t, dir: t.TempDir()}
	t.Cleanup(s.kill)
	s.start()
	return s
}

func (s *ownServer) start() { s.run("start") }

// kill ends it with SIGKILL. What it has of uploads is on its disk.
func (s *ownServer) kill() { s.run("stop") }

func (s *ownServer) run(what string) {
	s.t.Helper()
	if out, err := exec.Command("../../scripts/servers", what, s.dir, "s3").CombinedOutput(); err != nil {
		s.t.Fatalf("servers %s: %v: %s", what, err, out)
	}
}

// remote is the server's, without a section in rclone's configuration.
func (s *ownServer) remote() string {
	s.t.Helper()
	port, err := os.ReadFile(filepath.Join(s.dir, "run", "s3.port"))
	must(s.t, err)
	return fmt.Sprintf(":s3,provider=Other,endpoint='http://127.0.0.1:%s',region=us-east-1,force_path_style=true,"+
		"access_key_id=snapsync-test,secret_access_key=snapsync-test:snapsync/d", strings.TrimSpace(string(port)))
}

// TestServerKilled kills the server in the midst of a multipart upload, and starts it again: the upload goes on
// with the parts that it has.
func TestServerKilled(t *testing.T) {
	server := startOwnServer(t)
	s := &interrupted{
		diary: tempDiary(t), bytes: content(7*minPartSize + 1000),
		proxy: newProxy(t, with(server.remote(), "upload_cutoff=0", "chunk_size=5M", "upload_concurrency=2")),
	}
	s.expect(func(op string, n int) answer {
		if op == "part" && n == 5 {
			server.kill()
		}
		return answer{}
	})
	if err := s.send(t, source(s.bytes)); !errors.Is(err, remote.ErrTemporary) && !errors.Is(err, remote.ErrOffline) {
		t.Fatalf("got %v", err)
	}
	kept := len(s.diary.all["d/big"].Parts)
	if kept < 3 {
		t.Fatalf("%d parts are remembered, 3 had been answered", kept)
	}
	_, err := backends.Open(t.Context(), config(t, backends.Config{Remote: server.remote(), Uploads: s.diary}))
	is(t, err, remote.ErrOffline)
	server.start()
	s.expect(nil)
	must(t, s.send(t, source(s.bytes)))
	s.counts(t, map[string]int{"create": 0, "complete": 1, "abort": 0})
	if n := s.seen()["part"]; n > 8-kept {
		t.Errorf("%d parts were sent again, and only %d were missing", n, 8-kept)
	}
	s.arrived(t, s.bytes)
}
