//go:build unix

package service

import (
	"os"
	"syscall"
)

// owns reports whether dir is a directory of this user.
func owns(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
