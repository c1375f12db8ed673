package mapping

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestListForeignState looks at a state directory in which another user, root say, made a mapping: that there is one is no secret.
func TestListForeignState(t *testing.T) {
	root, err := os.MkdirTemp("/tmp", "list") // everybody may look through it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(root, "work-1"), 0o700); os.RemoveAll(root) })
	if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(filepath.Join(root, "work-1"), 0o700), os.Mkdir(filepath.Join(root, "empty"), 0o755),
		os.WriteFile(filepath.Join(root, "work-1", "journal.db"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Chmod(filepath.Join(root, "work-1"), 0); err != nil {
		t.Fatal(err)
	}
	found, err := Store{Root: root}.List()
	if err != nil || len(found) != 1 || found[0].ID != "work-1" || !errors.Is(found[0].Err, fs.ErrPermission) {
		t.Errorf("got %v, %v", found, err)
	}
}
