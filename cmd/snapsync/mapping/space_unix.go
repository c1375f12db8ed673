//go:build linux || darwin || freebsd

package mapping

import "golang.org/x/sys/unix"

// FreeSpace is what an ordinary user may still write on the disk of dir, in bytes.
func FreeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}
