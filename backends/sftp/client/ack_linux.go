package client

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// acknowledge has the system acknowledge at once what it receives, for now: it falls back by itself.
func acknowledge(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
}
