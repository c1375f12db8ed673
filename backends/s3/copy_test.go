package s3

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// TestCopyLarge copies in parts what is above copy_cutoff: for a Copy, a Touch and a Backup.
func TestCopyLarge(t *testing.T) {
	remote := scratch(t)
	s := &interrupted{proxy: newProxy(t, with(remote, "copy_cutoff=5M")), diary: tempDiary(t), bytes: content(11 << 20)}
	c := dial(t, backends.Config{Remote: s.remote + "/now", Uploads: s.diary, Rclone: rclone.Options{BackupDir: s.remote + "/then"}})
	must(t, c.Send(t.Context(), "a b", source(s.bytes)))
	later := snapshot.Entry{Kind: snapshot.File, Size: int64(len(s.bytes)), Mtime: day.Add(time.Hour).UnixNano()}
	for _, tt := range []struct {
		path string // of what is copied to
		call func() error
	}{
		{"now/c", func() error { return c.Copy(t.Context(), "a b", "c", later, nil) }},
		{"now/a b", func() error { return c.Touch(t.Context(), "a b", later, nil) }},
		{"then/a b", func() error { return c.Backup(t.Context(), "a b") }},
	} {
		s.expect(nil)
		must(t, tt.call())
		if s.seen()["complete"] != 1 || len(s.diary.all) > 0 {
			t.Errorf("%s: %v, remembered %v", tt.path, s.seen(), s.diary.all)
		}
		got, err := download(t, remote, tt.path)
		must(t, err)
		if !bytes.Equal(got, s.bytes) {
			t.Errorf("%s is another file", tt.path)
		}
	}
	s.noUploads(t)
}

// A copy that fails is aborted; one whose creation was not heard of is found by the next Send.
func TestCopyLargeFails(t *testing.T) {
	s := &interrupted{proxy: newProxy(t, with(scratch(t), "copy_cutoff=5M")), diary: tempDiary(t), bytes: content(11 << 20)}
	c := dial(t, backends.Config{Remote: s.remote, Uploads: s.diary})
	must(t, c.Send(t.Context(), "a", source(s.bytes)))
	e := snapshot.Entry{Kind: snapshot.File, Size: int64(len(s.bytes)), Mtime: day.UnixNano()}
	s.expect(func(op string, _ int) answer {
		if op == "part" {
			return answer{code: "AccessDenied", http: http.StatusForbidden}
		}
		return answer{}
	})
	is(t, c.Copy(t.Context(), "a", "d/big", e, nil), remote.ErrPermission)
	if len(s.diary.all) > 0 {
		t.Errorf("remembered: %v", s.diary.all)
	}
	s.noUploads(t)
	s.expect(func(op string, _ int) answer { return answer{lose: op == "create"} })
	if err := c.Copy(t.Context(), "a", "d/big", e, nil); err == nil {
		t.Fatal("no answer, and no error")
	}
	s.expect(nil)
	must(t, c.Send(t.Context(), "d/big", enginetest.Text("small", day)))
	s.arrived(t, []byte("small"))
}

func TestCopyMissing(t *testing.T) {
	c := dial(t, backends.Config{Remote: scratch(t)})
	e := snapshot.Entry{Kind: snapshot.File, Size: 1, Mtime: day.UnixNano()}
	is(t, c.Copy(t.Context(), "nothing", "b", e, nil), remote.ErrNotFound)
	is(t, c.Touch(t.Context(), "nothing", e, nil), remote.ErrNotFound)
}

func TestBackup(t *testing.T) {
	for name, tt := range map[string]struct {
		dir, suffix string
		at          string // where the backup of d/a is, from the remote
	}{
		"Beside": {suffix: ".old", at: "d/a.old"},
		"Inside": {dir: "/attic", at: "attic/d/a"},
		"Both":   {dir: "/attic", suffix: "-1", at: "attic/d/a-1"},
	} {
		t.Run(name, func(t *testing.T) {
			target := scratch(t)
			cfg := backends.Config{Remote: target, Rclone: rclone.Options{Suffix: tt.suffix}}
			if tt.dir != "" {
				cfg.Rclone.BackupDir = target + tt.dir
			}
			c := dial(t, cfg)
			if !c.Caps().Backup {
				t.Error("Caps do not say so")
			}
			must(t, c.Send(t.Context(), "d/a", enginetest.Text("first", day)))
			must(t, c.Send(t.Context(), "d/b", enginetest.Text("stays", day)))
			for range 2 { // the second finds nothing
				must(t, c.Backup(t.Context(), "d/a"))
			}
			got, err := download(t, target, tt.at)
			if err != nil || string(got) != "first" {
				t.Errorf("the backup is %q, %v", got, err)
			}
			var names []string
			must(t, c.List(t.Context(), func(r remote.Object) error { names = append(names, r.Path); return nil }))
			if !slices.Equal(names, []string{"d/b"}) {
				t.Errorf("listed: %q", names)
			}
		})
	}
}

// TestBackupOfKinds covers paths that were files and directories by turns, on a server that keeps objects as files.
func TestBackupOfKinds(t *testing.T) {
	target := scratch(t)
	c := dial(t, backends.Config{Remote: target + "/now", Rclone: rclone.Options{BackupDir: target + "/then"}})
	enginetest.BackupsOfKinds(t, c, func(name string) ([]byte, error) { return download(t, target, "then/"+name) })
}

// TestRegion has a bucket in another region than the configuration says.
func TestRegion(t *testing.T) {
	p := newProxy(t, with(scratch(t), "region=eu-west-1"))
	p.expect(func(op string, n int) answer {
		if op == "list" && n == 1 {
			return answer{code: "PermanentRedirect", http: http.StatusMovedPermanently, region: "us-east-1"}
		}
		return answer{}
	})
	c := dial(t, backends.Config{Remote: p.remote})
	must(t, c.Send(t.Context(), "a", enginetest.Text("x", day)))
	must(t, errors.Join(c.Delete(t.Context(), []string{"a"})...))
}
