//go:build unix

package control

import (
	"io/fs"
	"syscall"
)

// owner returns the user who owns what info describes.
func owner(info fs.FileInfo) (uid int, known bool) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid), true
	}
	return 0, false
}
