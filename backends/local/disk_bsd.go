//go:build unix && !linux

package local

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// precision of mtimes: a microsecond is what all system calls and file systems there keep.
func precision(string) time.Duration { return time.Microsecond }

// syncDisk asks for everything to be written: there is no call for one file system.
func syncDisk(string) error { return os.NewSyscallError("sync", unix.Sync()) }
