package generic

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/snapshot"
)

func TestMetadata(t *testing.T) {
	src := t.TempDir()
	if err := os.WriteFile(filepath.Join(src, "f"), []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	dst := t.TempDir()
	s := openOn(t, dst, src, rclone.Options{Metadata: true})
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
	if err := s.Touch(t.Context(), "f", now, nil); err != nil || !s.Caps().SetMetadata {
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
