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

	_ "github.com/rclone/rclone/backend/crypt"
	_ "github.com/rclone/rclone/backend/ftp"
	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/memory"
	_ "github.com/rclone/rclone/backend/s3"
	_ "github.com/rclone/rclone/backend/sftp"
	_ "github.com/rclone/rclone/backend/webdav"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
)

// generically forces the generic Connection onto a local directory.
var generically = map[string]string{"checkers": "4"}

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
		{"no section", Config{Remote: "nope:x"}, "there is no remote nope"},
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
		s, err := Open(t.Context(), Config{Remote: dir, Rclone: rclone.Options{Options: options}})
		if err != nil {
			t.Fatal(err)
		}
		err = s.List(t.Context(), func(remote.Object) error { return nil })
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
	s, err := Open(t.Context(), Config{Remote: t.TempDir(), BwLimit: "1M:1M"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began := time.Now()
	if err := s.Send(t.Context(), "f", enginetest.Text(strings.Repeat("x", 512<<10), began)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("512 KiB at 1 MiB/s took %v", took)
	}
}
