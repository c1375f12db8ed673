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
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
)

func TestContract(t *testing.T) {
	for name, tt := range map[string]struct {
		plain bool
		cfg   backends.Config
	}{
		"Plain":         {},
		"Links":         {cfg: backends.Config{Links: true}},
		"NoPosixRename": {plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t)
			server.plain = tt.plain
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				cfg := tt.cfg
				cfg.Remote = server.remote(filepath.Join(t.TempDir(), "not", "yet"))
				cfg.Uploads = &noted{}
				return subject(t, cfg)
			})
		})
	}
}

// TestContractServer runs over the OpenSSH that scripts/servers has started.
func TestContractServer(t *testing.T) {
	remote := serverRemote(t)
	for name, cfg := range map[string]backends.Config{"Plain": {}, "Links": {Links: true}} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				cfg.Remote = remote + "/accelerated-" + strings.ToLower(rand.Text()[:10])
				cfg.Uploads = &noted{}
				return subject(t, cfg)
			})
		})
	}
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
	f, err := fs.NewFs(context.Background(), cfg.Remote)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := operations.Purge(context.Background(), f, ""); err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
			t.Logf("purge %s: %v", cfg.Remote, err)
		}
		if err := f.Features().Shutdown(context.Background()); err != nil {
			t.Log(err)
		}
	})
	read := func(path string) ([]byte, error) {
		o, err := f.NewObject(context.Background(), backends.Encode(path))
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
	return enginetest.Subject{Connection: c, Read: read, Links: cfg.Links}
}

var _ engine.Uploads = (*noted)(nil)
