//go:build unix

package local

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
)

// TestSparse sends a file that is nearly all hole, and one that has its size in full.
func TestSparse(t *testing.T) {
	const size = 8 << 20
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "probe"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(root, "probe"), size); err != nil {
		t.Fatal(err)
	}
	if space(t, filepath.Join(root, "probe")) > size/2 {
		t.Skip("this file system has no holes")
	}
	l, err := Open(root, false)
	if err != nil {
		t.Fatal(err)
	}
	content := make([]byte, size)
	copy(content, "start")
	copy(content[size/2+1:], "middle")
	if err := l.Send(t.Context(), "f", enginetest.Text(string(content), time.Unix(1, 0))); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "f"))
	if err != nil || string(got) != string(content) {
		t.Errorf("what arrived is something else: %d bytes, %v", len(got), err)
	}
	if used := space(t, filepath.Join(root, "f")); used > size/16 {
		t.Errorf("%d bytes take %d", size, used)
	}
}

func space(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}
