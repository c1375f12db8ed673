//go:build darwin || freebsd || netbsd

package snapshot

import (
	"io/fs"
	"os"
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

// systemIdentity adds what tells a new directory from an old one with the same inode number.
func systemIdentity(root string, id *Identity) {
	fi, err := os.Stat(root)
	if err != nil {
		return
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		id.Btime = syscall.TimespecToNsec(st.Birthtimespec)
	}
}

// birth returns when the inode at path was made, in nanoseconds since the Unix epoch; 0: unknown.
func birth(root, path string, links bool) int64 {
	stat := os.Lstat
	if links {
		stat = os.Stat
	}
	fi, err := stat(join(root, path))
	if err != nil {
		return 0
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return syscall.TimespecToNsec(st.Birthtimespec)
}
