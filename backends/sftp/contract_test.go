package sftp

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/cache"
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

func TestContract(t *testing.T) {
	for name, plain := range map[string]bool{"Links": false, "NoExtensions": true} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t)
			server.set(func() { server.plain = plain })
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				return subject(t, backends.Config{
					Remote:  server.remote(filepath.Join(t.TempDir(), "not", "yet")),
					Uploads: &noted{}, Rclone: rclone.Options{Links: !plain},
				})
			})
		})
	}
}

// TestContractServer runs over the OpenSSH that scripts/servers has started. Its plain rename, unlike that
// of the server in this process, refuses to replace a file.
func TestContractServer(t *testing.T) {
	remote := serverRemote(t)
	for name, plain := range map[string]bool{"Plain": false, "NoPosixRename": true} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				s := subject(t, backends.Config{
					Remote:  remote + "/accelerated-" + strings.ToLower(rand.Text()[:10]),
					Uploads: &noted{}, Rclone: rclone.Options{Links: !plain},
				})
				if plain {
					withoutPosixRename(s.Connection.(*connection))
				}
				return s
			})
		})
	}
}

// withoutPosixRename makes c believe that the server does not have it.
func withoutPosixRename(c *connection) {
	c.pool.Close()
	c.pool = client.NewPool(func(ctx context.Context) (*client.Session, error) {
		s, err := c.connect(ctx)
		if err == nil {
			s.Server.PosixRename = false
		}
		return s, err
	}, c.opt.Connections, time.Minute, 0, c.log)
}

// serverRemote returns the remote on a real server.
func serverRemote(t testing.TB) string {
	t.Helper()
	const variable = "SNAPSYNC_TEST_REMOTES"
	list := os.Getenv(variable)
	for _, server := range strings.Fields(list) {
		if remote, ok := strings.CutPrefix(server, "sftp="); ok {
			return strings.TrimSuffix(remote, "/")
		}
	}
	if list == "" && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not set: run scripts/servers", variable)
	}
	t.Skipf("%s names no sftp remote: run scripts/servers", variable)
	return ""
}

// accelerated opens cfg, which must not fall back to the generic Connection.
func accelerated(t testing.TB, cfg backends.Config) *connection {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	if cfg.Wait == 0 {
		cfg.Wait = time.Minute // a log-in under the race detector, on a busy machine
	}
	c, err := backends.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, ok := c.(*connection)
	if !ok {
		_ = c.Close()
		t.Fatalf("opened as %T", c)
	}
	return a
}

// subject opens cfg and reads back through rclone's own backend.
func subject(t *testing.T, cfg backends.Config) enginetest.Subject {
	t.Helper()
	c := accelerated(t, cfg)
	name, root, _ := strings.Cut(cfg.Remote, ":/")
	f, err := cache.Get(context.Background(), name+":/") // one log-in for all
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := operations.Purge(context.Background(), f, root); err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
			t.Logf("purge %s: %v", cfg.Remote, err)
		}
	})
	read := func(path string) ([]byte, error) {
		o, err := f.NewObject(context.Background(), root+"/"+rclone.Encode(path))
		if err != nil {
			return nil, err
		}
		in, err := o.Open(context.Background())
		if err != nil {
			return nil, err
		}
		defer in.Close()
		return io.ReadAll(in)
	}
	return enginetest.Subject{Connection: c, Read: read, Links: cfg.Rclone.Links, Blind: true}
}

var _ remote.Uploads = (*noted)(nil)
