//go:build casefold

package snapshot

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestScanWithinCaseFolds: a file system where case does not count, which few kernels can mount: so it is run by
// hand, as root, with -tags casefold. What it looks at is simulated in TestScanWithinCaseDoesNotCount.
func TestScanWithinCaseFolds(t *testing.T) {
	r := newRig(t, openDirectory)
	if err := unix.Mount("tmpfs", r.cfg.Root, "tmpfs", 0, "size=1m,casefold"); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(r.cfg.Root, unix.MNT_DETACH) })
	const flags, casefold = 0x40086602, 0x40000000 // FS_IOC_SETFLAGS, FS_CASEFOLD_FL
	fd, err := unix.Open(r.cfg.Root, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	r.must(err)
	defer unix.Close(fd)
	if err := unix.IoctlSetPointerInt(fd, flags, casefold); err != nil {
		t.Fatalf("make a directory without case: %v", err)
	}
	r.write("readme", "dir/f", "other")
	r.sync()
	r.rename("readme", "README")
	r.rename("dir", "DIR")
	r.within("readme")
	r.expect("+README", "-readme")
	r.within("README")
	r.expect("+README")
	r.within("Readme", "other")
	r.expect("+README")
	r.within("dir/f")
	r.expect("+DIR/", "+DIR/f", "-dir/", "-dir/f")
}
