//go:build linux && !(amd64 || arm64 || riscv64)

package snapshot

import "golang.org/x/sys/unix"

func fstatat(fd int, name *byte, st *unix.Stat_t, flags int) error {
	return unix.Fstatat(fd, unix.BytePtrToString(name), st, flags)
}
