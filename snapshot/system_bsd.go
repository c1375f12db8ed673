//go:build darwin || freebsd || netbsd

package snapshot

import (
	"io/fs"
	"syscall"
)

// systemStat fills in what only the system's own stat has.
func systemStat(fi fs.FileInfo, e *Entry) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	e.Mode = uint32(st.Mode) & 0o7777
	e.Ctime = syscall.TimespecToNsec(st.Ctimespec)
	e.Dev, e.Ino = uint64(st.Dev), uint64(st.Ino)
}

// birthOf returns when an inode was made, in nanoseconds since the Unix epoch; 0: unknown.
func birthOf(fi fs.FileInfo) int64 {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return syscall.TimespecToNsec(st.Birthtimespec)
}
