package local

import (
	"fmt"
	"os"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// setMtime sets the mtime, and the atime with it as rclone does. A link keeps the time at which it
// was made: Windows gives no simple way to change it.
func setMtime(name string, mtime time.Time) error {
	info, err := os.Lstat(name)
	if err != nil || info.Mode()&os.ModeSymlink != 0 {
		return err
	}
	return os.Chtimes(name, mtime, mtime)
}

// removeFile removes anything but a directory, read-only files included.
func removeFile(name string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &os.PathError{Op: "remove", Path: name, Err: fmt.Errorf("is a directory")}
	}
	return os.Remove(name)
}

// removeDir removes an empty directory, and nothing else.
func removeDir(name string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &os.PathError{Op: "rmdir", Path: name, Err: fmt.Errorf("not a directory")}
	}
	if entries, err := os.ReadDir(name); err == nil && len(entries) > 0 {
		return &os.PathError{Op: "rmdir", Path: name, Err: remote.ErrNotEmpty}
	}
	return os.Remove(name)
}

// precision of NTFS mtimes.
func precision(string) time.Duration { return 100 * time.Nanosecond }

// syncDisk does nothing: to flush a volume takes administrator's rights here.
func syncDisk(string) error { return nil }
