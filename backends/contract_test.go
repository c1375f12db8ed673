package backends

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/rclone/rclone/backend/alias"
	_ "github.com/rclone/rclone/backend/crypt"
	_ "github.com/rclone/rclone/backend/ftp"
	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/memory"
	_ "github.com/rclone/rclone/backend/s3"
	_ "github.com/rclone/rclone/backend/sftp"
	_ "github.com/rclone/rclone/backend/webdav"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/obscure"
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
)

// generically forces the generic Connection onto a local directory.
var generically = map[string]string{"checkers": "4"}

func TestContractLocal(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Plain":        {},
		"Links":        {Rclone: rclone.Options{Links: true}},
		"Generic":      {Rclone: rclone.Options{Options: generically}},
		"GenericLinks": {Rclone: rclone.Options{Options: generically, Links: true}},
	} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				cfg.Remote = filepath.Join(t.TempDir(), "not", "yet")
				return subject(t, cfg)
			})
		})
	}
}

func TestContractMemory(t *testing.T) {
	enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
		return subject(t, Config{Remote: ":memory:bucket" + token() + "/prefix"})
	})
}

func TestContractCrypt(t *testing.T) {
	enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
		return subject(t, Config{Remote: crypt(t, filepath.Join(t.TempDir(), "base"))})
	})
}

func crypt(t *testing.T, base string) string {
	t.Helper()
	pass, err := obscure.Obscure("secret")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(":crypt,password='%s',remote='%s':sub/dir", pass, base)
}

// TestContractServers runs over the remotes that scripts/servers has started.
func TestContractServers(t *testing.T) {
	const variable = "SNAPSYNC_TEST_REMOTES"
	list := strings.Fields(os.Getenv(variable))
	if len(list) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set: run scripts/servers", variable)
		}
		t.Skipf("%s is not set: run scripts/servers", variable)
	}
	for _, server := range list {
		name, remote, ok := strings.Cut(server, "=")
		if !ok {
			t.Fatalf("%s: want NAME=REMOTE, got %q", variable, server)
		}
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				return subject(t, Config{Remote: strings.TrimSuffix(remote, "/") + "/contract-" + token(), Log: testLog(t)})
			})
		})
	}
}

// token names something that nobody else uses.
func token() string { return strings.ToLower(rand.Text()[:10]) }

// testLog logs warnings and above to t.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// subject opens cfg and reads back through an rclone Fs of its own.
func subject(t *testing.T, cfg Config) enginetest.Subject {
	t.Helper()
	cfg.Wait = time.Minute // a log-in under the race detector, on a busy machine
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fs.NewFs(context.Background(), cfg.Remote)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f.Features().IsLocal {
			return // t.TempDir cleans up
		}
		if err := operations.Purge(context.Background(), f, ""); err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
			t.Logf("purge %s: %v", cfg.Remote, err)
		}
	})
	read := func(path string) ([]byte, error) {
		if l, ok := c.(*local); ok {
			return os.ReadFile(l.path(path)) // rclone cannot open all that a file system allows
		}
		o, err := f.NewObject(context.Background(), rclone.Encode(path))
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
	info := fs.FindFromFs(fs.UnWrapFs(f))
	return enginetest.Subject{Connection: c, Read: read, Links: cfg.Rclone.Links, NoControl: info.Name == "s3"}
}
