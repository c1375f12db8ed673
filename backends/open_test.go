package backends

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TestOpenOffline asks for remotes where nobody listens, and where somebody takes the call and says
// nothing for longer than the test waits.
func TestOpenOffline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the calls
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for _, target := range []string{
		":s3,provider=Other,access_key_id=a,secret_access_key=b,endpoint='http://127.0.0.1:%d':bucket/path",
		":webdav,url='http://127.0.0.1:%d':path",
		":sftp,host=127.0.0.1,port=%d,user=u,ask_password=false,pass=YUPzGm_Yhx-3YUPzGm_YhyY:path",
		":ftp,host=127.0.0.1,port=%d,user=u,pass=YUPzGm_Yhx-3YUPzGm_YhyY:path",
		":crypt,password=YUPzGm_Yhx-3YUPzGm_YhyY,remote=':webdav,url=\"http://127.0.0.1:%d\":base':path",
	} {
		kind, _, _ := strings.Cut(target, ",")
		for who, l := range map[string]net.Listener{"nobody": nobody, "silent": silent} {
			t.Run(kind[1:]+"/"+who, func(t *testing.T) {
				began := time.Now()
				_, err := Open(t.Context(), Config{
					Remote: fmt.Sprintf(target, l.Addr().(*net.TCPAddr).Port), Wait: 500 * time.Millisecond})
				if !errors.Is(err, remote.ErrOffline) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("it took %v to notice", took)
				}
			})
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"file", Config{Remote: file}, "is a file"},
		{"file generic", Config{Remote: file, Rclone: rclone.Options{Options: generically}}, "is a file"},
		{"no section", Config{Remote: "nope:x"}, "rclone listremotes"},
		{"URL", Config{Remote: "ssh://me:XYZ@nas/x"}, "form is :sftp,host=HOST,user=USER:PATH"},
		{"no backend", Config{Remote: ":nope:x"}, "built without"},
		{"syntax", Config{Remote: ":sftp,host='x:y"}, "parse remote: unterminated"},
		{"option", Config{Remote: dir, Rclone: rclone.Options{Options: map[string]string{"no-such": "1"}}}, "rclone help flags"},
		{"option value", Config{Remote: dir, Rclone: rclone.Options{Options: map[string]string{"checkers": "many"}}}, "checkers"},
		{"our option", Config{Remote: dir, Rclone: rclone.Options{Options: map[string]string{"dry-run": "true"}}}, "snapsync plan"},
		{"bwlimit", Config{Remote: dir, BwLimit: "fast"}, "bandwidth limit"},
		{"backup elsewhere", Config{Remote: dir, Rclone: rclone.Options{BackupDir: ":memory:b"}}, "same remote"},
		{"backup is remote", Config{Remote: dir, Rclone: rclone.Options{BackupDir: dir}}, "the remote itself"},
		{"remote in backup", Config{Remote: dir + "/x", Rclone: rclone.Options{BackupDir: dir}}, "inside --backup-dir"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Open(t.Context(), tt.cfg)
			if err == nil {
				c.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something about %q", err, tt.want)
			}
			if errors.Is(err, remote.ErrOffline) {
				t.Errorf("%v is taken for an outage", err)
			}
			if strings.Contains(err.Error(), "XYZ") {
				t.Errorf("%v shows a password", err)
			}
		})
	}
}

func TestBackup(t *testing.T) {
	for _, tt := range []struct{ name, backup, suffix, where string }{
		{"dir", "../kept", "", "kept/d/f"},
		{"dir and suffix", "../kept", ".old", "kept/d/f.old"},
		{"dir inside", ".kept", "", "remote/.kept/d/f"},
		{"suffix", "", "~", "remote/d/f~"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top := t.TempDir()
			cfg := Config{Remote: filepath.Join(top, "remote"), Rclone: rclone.Options{Suffix: tt.suffix}}
			if tt.backup != "" {
				cfg.Rclone.BackupDir = filepath.Join(cfg.Remote, tt.backup)
			}
			s := subject(t, cfg)
			defer s.Close()
			if !s.Caps().Backup {
				t.Fatal("no Caps.Backup")
			}
			for _, content := range []string{"first", "second"} {
				if err := s.Send(t.Context(), "d/f", enginetest.Text(content, time.Now())); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if err := s.Backup(t.Context(), "d/f"); err != nil {
						t.Fatal(err)
					}
				}
				got, err := os.ReadFile(filepath.Join(top, tt.where))
				if err != nil || string(got) != content {
					t.Fatalf("the backup holds %q, %v", got, err)
				}
			}
			err := s.List(t.Context(), func(r remote.Object) error {
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

func TestMetadata(t *testing.T) {
	src := t.TempDir()
	if err := os.WriteFile(filepath.Join(src, "f"), []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	dst := t.TempDir()
	s := subject(t, Config{Remote: dst, Source: src, Rclone: rclone.Options{Metadata: true}})
	defer s.Close()
	if !s.Caps().Metadata {
		t.Fatal("no Caps.Metadata")
	}
	if err := s.Send(t.Context(), "f", enginetest.Text("x", time.Now())); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dst, "f"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("sent with mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(filepath.Join(src, "f"), 0o604); err != nil {
		t.Fatal(err)
	}
	now := enginetest.Text("x", time.Now()).Entry()
	if err := s.Touch(t.Context(), "f", now); err != nil || !s.Caps().SetMetadata {
		t.Errorf("touch: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dst, "f")); err != nil || info.Mode().Perm() != 0o604 || info.ModTime().UnixNano() != now.Mtime {
		t.Errorf("touched to mode %v and time %v, %v", info.Mode(), info.ModTime(), err)
	}
	err = s.Send(t.Context(), "gone", enginetest.Text("x", time.Now()))
	if !errors.Is(err, snapshot.ErrChanged) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// TestListUnreadable checks that what cannot be listed does not look empty. rclone's local backend
// counts the error and goes on.
func TestListUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is unreadable for root")
	}
	for name, options := range map[string]map[string]string{"local": nil, "generic": generically} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "d"), 0o000); err != nil {
			t.Fatal(err)
		}
		s := subject(t, Config{Remote: dir, Rclone: rclone.Options{Options: options}})
		err := s.List(t.Context(), func(remote.Object) error { return nil })
		if !errors.Is(err, remote.ErrPermission) {
			t.Errorf("%s: got %v", name, err)
		}
		s.Close()
	}
}

func TestBwLimit(t *testing.T) {
	t.Cleanup(func() {
		if err := rclone.SetBandwidth("off"); err != nil {
			t.Error(err)
		}
	})
	s := subject(t, Config{Remote: t.TempDir(), BwLimit: "1M:1M"})
	defer s.Close()
	began := time.Now()
	if err := s.Send(t.Context(), "f", enginetest.Text(strings.Repeat("x", 512<<10), began)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("512 KiB at 1 MiB/s took %v", took)
	}
}
