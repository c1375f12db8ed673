package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDiskFull fills a small file system, for which it needs to be root: the write that does not fit
// fails as ErrFull and leaves nothing, what was there can be read, and with space it goes on.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skip("cannot mount a small file system: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, 2<<20), 0o600))
	j := mustOpen(t, filepath.Join(dir, "journal.db"))
	defer func() { must(t, j.Close()) }()

	var fixes []Refresh
	kept := 0
	var err error
	for round := 0; err == nil && round < 1000; round++ {
		fixes = fixes[:0]
		for i := range 200 {
			fixes = append(fixes, Refresh{Path: fmt.Sprintf("%d/%d", round, i), Entry: file(1)})
		}
		if err = j.Repair(fixes); err == nil {
			kept += 201
		}
	}
	wantError(t, err, ErrFull, "journal.db")
	if n := len(tree(t, j)); n != kept {
		t.Errorf("%d rows, want %d", n, kept)
	}
	if _, err := Open(filepath.Join(dir, "other.db"), testMapping); !errors.Is(err, ErrFull) {
		t.Errorf("a new journal on a full disk: %v", err)
	}
	must(t, os.Remove(ballast))
	must(t, j.Repair(fixes))
	if n := len(tree(t, j)); n != kept+201 {
		t.Errorf("%d rows, want %d", n, kept+201)
	}
	mustBeSound(t, j)
}
