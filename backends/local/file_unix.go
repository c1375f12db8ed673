//go:build unix

package local

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// setMtime sets the mtime, and the atime with it as rclone does, of a file or of a link itself.
func setMtime(name string, mtime time.Time) error {
	ts, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return &os.PathError{Op: "utimensat", Path: name, Err: err}
	}
	err = unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &os.PathError{Op: "utimensat", Path: name, Err: err}
	}
	return nil
}

// removeFile removes anything but a directory.
func removeFile(name string) error {
	if err := unix.Unlink(name); err != nil {
		return &os.PathError{Op: "unlink", Path: name, Err: err}
	}
	return nil
}

// removeDir removes an empty directory, and nothing else.
func removeDir(name string) error {
	if err := unix.Rmdir(name); err != nil {
		return &os.PathError{Op: "rmdir", Path: name, Err: err}
	}
	return nil
}
