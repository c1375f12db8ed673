//go:build amd64 || arm64 || riscv64

package snapshot

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// fstatat calls the system with the name where it lies: unix.Fstatat would copy it for each call.
// It was measured to need a tenth less CPU than statx.
func fstatat(fd int, name *byte, st *unix.Stat_t, flags int) error {
	_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, uintptr(fd), uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(st)), uintptr(flags), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
