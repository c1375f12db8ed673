package generic

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

func TestBackup(t *testing.T) {
	for _, tt := range []struct{ name, backup, suffix, where string }{
		{"dir", "../kept", "", "kept/d/f"},
		{"dir and suffix", "../kept", ".old", "kept/d/f.old"},
		{"dir inside", ".kept", "", "remote/.kept/d/f"},
		{"suffix", "", "~", "remote/d/f~"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top := t.TempDir()
			target, o := filepath.Join(top, "remote"), rclone.Options{Suffix: tt.suffix}
			if tt.backup != "" {
				o.BackupDir = filepath.Join(target, tt.backup)
			}
			s := openOn(t, target, "", o)
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

// TestBackupLosesFile covers a backup directory that says "not found": it is not the file's absence.
func TestBackupLosesFile(t *testing.T) {
	g := genericIn(t, t.TempDir(), rclone.Options{BackupDir: t.TempDir()}, map[string]string{"f": "precious"})
	g.backup.f.Features().Move = func(context.Context, fs.Object, string) (fs.Object, error) { return nil, fs.ErrorDirNotFound }
	if err := g.Backup(t.Context(), "f"); err == nil {
		t.Error("a file that was not backed up passes for one that is not there")
	}
}

// TestSuffixTaken covers --suffix without --backup-dir where an older backup has the name already: as
// with rclone, the newer one takes its place. The command keeps such names out of the mapping.
func TestSuffixTaken(t *testing.T) {
	dir := t.TempDir()
	g := genericIn(t, dir, rclone.Options{Suffix: ".bak"}, map[string]string{"a": "second", "a.bak": "first"})
	if err := g.Backup(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "a.bak"), "second")
	if _, err := os.Stat(filepath.Join(dir, "a")); !os.IsNotExist(err) {
		t.Errorf("the file is where it was: %v", err)
	}
}

// TestSuffixTwice covers a remote that can only copy, when the removal after the copy failed.
func TestSuffixTwice(t *testing.T) {
	s := subject(t, ":memory:bucket"+token(), rclone.Options{Suffix: ".bak"})
	g := s.Connection.(*Connection)
	g.f.Features().Move = nil
	if err := s.Send(t.Context(), "a", enginetest.Text("content", time.Now())); err != nil {
		t.Fatal(err)
	}
	o, err := g.f.NewObject(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.f.Features().Copy(t.Context(), o, "a.bak"); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read("a.bak"); string(got) != "content" {
		t.Errorf("a.bak holds %q, %v", got, err)
	}
	if _, err := s.Read("a"); err == nil {
		t.Error("the file is where it was")
	}
}

// TestBackupOfKinds covers paths that were files and directories by turns.
func TestBackupOfKinds(t *testing.T) {
	kept := t.TempDir()
	g := genericIn(t, t.TempDir(), rclone.Options{BackupDir: kept}, nil)
	enginetest.BackupsOfKinds(t, g, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(kept, name)) })
}
