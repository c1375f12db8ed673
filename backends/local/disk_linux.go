package local

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// precision returns what the file system of dir keeps of an mtime, without writing to it. FUSE hides
// which file system it is; FAT, the coarsest, is assumed.
func precision(dir string) time.Duration {
	var st unix.Statfs_t
	for unix.Statfs(dir, &st) != nil {
		if dir == filepath.Dir(dir) {
			return coarse
		}
		dir = filepath.Dir(dir)
	}
	switch uint32(st.Type) {
	case unix.MSDOS_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC:
		return coarse
	case 0x4244, 0x482b: // HFS, HFS+: linux/magic.h has no names for them in x/sys
		return time.Second
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return 100 * time.Nanosecond
	}
	return 1
}

// syncDisk flushes the file system of dir.
func syncDisk(dir string) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	if err := unix.Syncfs(fd); err != nil {
		return &os.PathError{Op: "syncfs", Path: dir, Err: err}
	}
	return nil
}
