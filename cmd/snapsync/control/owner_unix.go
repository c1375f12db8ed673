//go:build unix

package control

import (
	"io/fs"
	"os"
	"syscall"
)

// mine reports whether this user owns what info describes.
func mine(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
