//go:build unix

package generic

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// withMode is a source whose entry has a mode.
type withMode struct {
	remote.Source
	mode uint32
}

func (s withMode) Entry() snapshot.Entry {
	e := s.Source.Entry()
	e.Mode = s.mode
	return e
}

// TestSpecialBits sends and touches files whose mode has bits that rclone masks.
func TestSpecialBits(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	s := openOn(t, dst, src, rclone.Options{Metadata: true})
	for _, mode := range []uint32{0o4755, 0o755, 0o2755, 0o1644, 0o7711, 0o600} {
		for name, set := range map[string]func(remote.Source) error{
			"send":  func(in remote.Source) error { return s.Send(t.Context(), "f", in) },
			"touch": func(in remote.Source) error { return s.Touch(t.Context(), "f", in.Entry(), nil) },
		} {
			for file, text := range map[string]string{filepath.Join(src, "f"): "x", filepath.Join(dst, "f"): "x"} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := syscall.Chmod(filepath.Join(src, "f"), mode); err != nil {
				t.Fatal(err)
			}
			if err := set(withMode{enginetest.Text("x", time.Now()), mode}); err != nil {
				t.Fatal(err)
			}
			var is syscall.Stat_t
			if err := syscall.Stat(filepath.Join(dst, "f"), &is); err != nil || uint32(is.Mode)&0o7777 != mode {
				t.Errorf("%s: mode %o became %o, %v", name, mode, uint32(is.Mode)&0o7777, err)
			}
		}
	}
}
