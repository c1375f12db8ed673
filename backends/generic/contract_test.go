package generic

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

func TestContractDirectory(t *testing.T) {
	for name, o := range map[string]rclone.Options{"Plain": {}, "Links": {Links: true}} {
		t.Run(name, func(t *testing.T) {
			enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
				return subject(t, filepath.Join(t.TempDir(), "not", "yet"), o)
			})
		})
	}
}

func TestContractMemory(t *testing.T) {
	enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
		return subject(t, ":memory:bucket"+token()+"/prefix", rclone.Options{})
	})
}

func TestContractCrypt(t *testing.T) {
	enginetest.Contract(t, func(t *testing.T) enginetest.Subject {
		return subject(t, crypt(t, filepath.Join(t.TempDir(), "base")), rclone.Options{})
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
				return subject(t, strings.TrimSuffix(remote, "/")+"/contract-"+token(), rclone.Options{})
			})
		})
	}
}

// token names something that nobody else uses.
func token() string { return strings.ToLower(rand.Text()[:10]) }

// openOn opens the generic Connection to a remote.
func openOn(t *testing.T, target, source string, o rclone.Options) *Connection {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := rclone.Init(t.Context(), rclone.Settings{}); err != nil {
		t.Fatal(err)
	}
	rctx, err := rclone.Context(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	name, err := rclone.ParseName(target)
	if err != nil {
		t.Fatal(err)
	}
	// The wait is for a log-in under the race detector, on a busy machine.
	g, err := Open(t.Context(), rctx, Config{Name: name, Source: source, Rclone: o, Wait: time.Minute, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// subject opens a remote and reads back through an rclone Fs of its own.
func subject(t *testing.T, target string, o rclone.Options) enginetest.Subject {
	t.Helper()
	g := openOn(t, target, "", o)
	f, err := fs.NewFs(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f.Features().IsLocal {
			return // t.TempDir cleans up
		}
		if err := operations.Purge(context.Background(), f, ""); err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
			t.Logf("purge %s: %v", target, err)
		}
	})
	read := func(path string) ([]byte, error) {
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
	return enginetest.Subject{Connection: g, Read: read, Links: o.Links, NoControl: info.Name == "s3"}
}
