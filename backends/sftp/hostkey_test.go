package sftp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/engine/remote"
)

func TestHostKeyFirstUse(t *testing.T) {
	key := newHostKey(t)
	server := startServerAt(t, "127.0.0.1:0", key)
	cfg := backends.Config{Remote: server.remote(t.TempDir()), StateDir: filepath.Join(t.TempDir(), "state")}
	for range 2 {
		if err := accelerated(t, cfg).Close(); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(cfg.StateDir, knownHosts)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := knownhosts.Line([]string{server.address}, key.PublicKey()) + "\n"; string(text) != want {
		t.Errorf("%s holds %q, want %q", file, text, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	server.stop()
	startServerAt(t, server.address, newHostKey(t))
	_, err = backends.Open(t.Context(), cfg)
	if !errors.Is(err, remote.ErrFatal) {
		t.Fatalf("another key gives %v", err)
	}
	for _, want := range []string{server.address, "has changed", file + " line 1", "remove that line"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v says nothing of %q", err, want)
		}
	}
	cfg.StateDir = "" // nothing to compare with
	if err := accelerated(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestHostKeyBadPassword checks that a server which does not let us in is not remembered.
func TestHostKeyBadPassword(t *testing.T) {
	server := startServer(t)
	server.set(func() { server.closed = true })
	cfg := backends.Config{Remote: server.remote("/"), StateDir: t.TempDir(), Wait: 10 * time.Second}
	if _, err := backends.Open(t.Context(), cfg); !errors.Is(err, remote.ErrFatal) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.StateDir, knownHosts)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server is remembered: %v", err)
	}
}

// TestHostKeySetting checks that rclone's own setting is obeyed.
func TestHostKeySetting(t *testing.T) {
	key := newHostKey(t)
	server := startServerAt(t, "127.0.0.1:0", key)
	right, wrong, empty := filepath.Join(t.TempDir(), "right"), filepath.Join(t.TempDir(), "wrong"), filepath.Join(t.TempDir(), "empty")
	for file, line := range map[string]string{
		right: knownhosts.Line([]string{server.address}, key.PublicKey()),
		wrong: knownhosts.Line([]string{server.address}, newHostKey(t).PublicKey()),
		empty: "",
	} {
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ file, want string }{
		{"none", ""}, {right, ""}, {wrong, wrong + " line 1"}, {empty, "ssh-keyscan"}, {right + "-missing", "no such file"},
	} {
		state := t.TempDir()
		target := strings.Replace(server.remote("/"), ",host=", fmt.Sprintf(",known_hosts_file='%s',host=", tt.file), 1)
		c, err := backends.Open(t.Context(), backends.Config{Remote: target, StateDir: state})
		if err == nil {
			_ = c.Close()
		}
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.file, err)
		case tt.want != "" && (!errors.Is(err, remote.ErrFatal) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want something about %q", tt.file, err, tt.want)
		}
		if made, _ := os.ReadDir(state); len(made) > 0 {
			t.Errorf("%s: %v was written", tt.file, made)
		}
	}
}
