package sftp

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TestNotUnderstood checks what leads to the generic Connection, and that the log says so once.
func TestNotUnderstood(t *testing.T) {
	server := startServer(t)
	for option, cfg := range map[string]backends.Config{
		"set_modtime": {Remote: strings.Replace(server.remote("/"), ",host", ",set_modtime=false,host", 1)},
		"inplace":     {Remote: server.remote("/"), Rclone: rclone.Options{Options: map[string]string{"inplace": "true"}}},
		"":            {Remote: server.remote("/"), Generic: true},
	} {
		var log bytes.Buffer
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
		for range 2 {
			c, err := backends.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := c.(*connection); ok {
				t.Errorf("option %q is understood", option)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		want := 1
		if option == "" {
			want = 0
		}
		if n := strings.Count(log.String(), "through rclone"); n != want || !strings.Contains(log.String(), option) {
			t.Errorf("option %q: the log says %q", option, log.String())
		}
	}
}

// TestOptions opens with options that change how, not what.
func TestOptions(t *testing.T) {
	server := startServer(t)
	for _, options := range []string{
		"chunk_size=1k,concurrency=1", "disable_concurrent_writes=true", "connections=1", "idle_timeout=0s",
		"ciphers=aes256-ctr,macs=hmac-sha2-256", "host_key_algorithms=ssh-ed25519", "skip_links=true", "use_insecure_cipher=true",
	} {
		dir := t.TempDir()
		c := accelerated(t, backends.Config{Remote: strings.Replace(server.remote(dir), ",host", ","+options+",host", 1)})
		content := randomBytes(smallFile + 5000)
		for _, size := range []int{3000, len(content)} {
			if err := c.Send(t.Context(), "f", &enginetest.Source{Content: content[:size], Mtime: day}); err != nil {
				t.Fatalf("%s: %v", options, err)
			}
			got, err := os.ReadFile(filepath.Join(dir, "f"))
			if err != nil || !bytes.Equal(got, content[:size]) {
				t.Errorf("%s: %d bytes arrived of %d, %v", options, len(got), size, err)
			}
		}
		_ = c.Close()
	}
}

// TestListLinks shows symbolic links on the server as what they lead to, or not at all.
func TestListLinks(t *testing.T) {
	server := startServer(t)
	dir := t.TempDir()
	for link, target := range map[string]string{"file": "../elsewhere/f", "dir": "../elsewhere", "broken": "nowhere"} {
		if err := os.MkdirAll(filepath.Join(dir, "root"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, "root", link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "elsewhere"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "elsewhere/f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for option, want := range map[string]map[string]snapshot.Kind{
		"skip_links=false": {"file": snapshot.File, "dir": snapshot.Dir, "dir/f": snapshot.File, "broken": snapshot.File},
		"skip_links=true":  {},
	} {
		target := strings.Replace(server.remote(filepath.Join(dir, "root")), ",host", ","+option+",host", 1)
		c := accelerated(t, backends.Config{Remote: target})
		got := map[string]snapshot.Kind{}
		err := c.List(t.Context(), func(r remote.Object) error {
			got[r.Path] = r.Entry.Kind
			if r.Path == "file" && r.Entry.Size != 7 {
				t.Errorf("a link to 7 bytes is listed with %d", r.Entry.Size)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for path, kind := range want {
			if got[path] != kind {
				t.Errorf("%s: %q is %v, want %v", option, path, got[path], kind)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v are listed", option, got)
		}
		_ = c.Close()
	}
}

// TestBackup covers both kinds of backups.
func TestBackup(t *testing.T) {
	server := startServer(t)
	for _, tt := range []struct{ name, backup, suffix, where string }{
		{"dir", "../kept", "", "kept/d/f"},
		{"dir and suffix", "../kept", ".old", "kept/d/f.old"},
		{"dir inside", ".kept", "", "remote/.kept/d/f"},
		{"suffix", "", "~", "remote/d/f~"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top := t.TempDir()
			cfg := backends.Config{Remote: server.remote(filepath.Join(top, "remote")), Rclone: rclone.Options{Suffix: tt.suffix}}
			if tt.backup != "" {
				cfg.Rclone.BackupDir = server.remote(filepath.Join(top, "remote", tt.backup))
			}
			c := accelerated(t, cfg)
			defer c.Close()
			if !c.Caps().Backup {
				t.Fatal("no Caps.Backup")
			}
			for _, content := range []string{"first", "second"} {
				send(t, c, "d/f", content)
				for range 2 {
					if err := c.Backup(t.Context(), "d/f"); err != nil {
						t.Fatal(err)
					}
				}
				got, err := os.ReadFile(filepath.Join(top, tt.where))
				if err != nil || string(got) != content {
					t.Fatalf("the backup holds %q, %v", got, err)
				}
			}
			err := c.List(t.Context(), func(r remote.Object) error {
				if r.Entry.Kind == snapshot.File || strings.Contains(r.Path, "kept") {
					t.Errorf("%q is listed", r.Path)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestBackupOfKinds covers paths that were files and directories by turns.
func TestBackupOfKinds(t *testing.T) {
	server, top := startServer(t), t.TempDir()
	kept := filepath.Join(top, "kept")
	cfg := backends.Config{Remote: server.remote(filepath.Join(top, "remote")), Rclone: rclone.Options{BackupDir: server.remote(kept)}}
	c := accelerated(t, cfg)
	defer c.Close()
	enginetest.BackupsOfKinds(t, c, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(kept, name)) })
}
