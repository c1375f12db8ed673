package snapshot

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// systemStat fills in what only the system's own stat has.
func systemStat(fi fs.FileInfo, e *Entry) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	e.Mode = st.Mode & 0o7777
	e.Ctime = syscall.TimespecToNsec(st.Ctim)
	e.Dev, e.Ino = uint64(st.Dev), uint64(st.Ino)
}

// systemIdentity adds what tells a new directory from an old one with the same inode number.
func systemIdentity(root string, id *Identity) {
	if fd, err := openRoot(root); err == nil {
		id.FSID = fileSystemID(fd)
		unix.Close(fd)
	}
	var x unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, root, 0, unix.STATX_BTIME, &x) == nil && x.Mask&unix.STATX_BTIME != 0 {
		id.Btime = x.Btime.Sec*1e9 + int64(x.Btime.Nsec)
	}
}

// birth returns when the inode at path was made, in nanoseconds since the Unix epoch; 0: unknown.
func birth(root, path string, links bool) int64 {
	a, err := openAnchor(root)
	if err != nil {
		return 0
	}
	defer a.Close()
	fd, err := a.lookUp(path, unix.O_PATH, links)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	var x unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &x) != nil || x.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return x.Btime.Sec*1e9 + int64(x.Btime.Nsec)
}
