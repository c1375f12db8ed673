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
	e.Mode = st.Mode & 0o7777
	e.Ctime = syscall.TimespecToNsec(st.Ctim)
	e.Dev, e.Ino = uint64(st.Dev), uint64(st.Ino)
}
