package beneath

import (
	"cmp"
	"strings"

	"golang.org/x/sys/unix"
)

// Passing are the flags for a directory that is only passed through, or worked in by name.
const Passing = unix.O_PATH | unix.O_DIRECTORY

// pieceMax is the longest path that is given to one system call. PATH_MAX is 4096 with the NUL, and
// trees may be deeper than that.
const pieceMax = 4000

// Open opens path, relative to the descriptor root. A symbolic link in place of a directory is ELOOP; so is one at the end,
// unless flags have O_PATH and O_NOFOLLOW, which open the link itself.
func Open(root int, path string, flags int) (int, error) {
	return inPieces(root, path, flags, piece)
}

// Follow opens path as the system does, through whatever links there are.
func Follow(root int, path string, flags int) (int, error) {
	return inPieces(root, path, flags, func(at int, path string, flags int) (int, error) {
		return Retry(func() (int, error) { return unix.Openat(at, path, flags|unix.O_CLOEXEC, 0) })
	})
}

// inPieces opens path with as many calls of open as it takes.
func inPieces(root int, path string, flags int, open func(at int, path string, flags int) (int, error)) (int, error) {
	at := root
	for len(path) > pieceMax {
		cut := strings.LastIndexByte(path[:pieceMax], '/')
		fd, err := open(at, path[:max(cut, 0)], Passing)
		if at != root {
			unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		at, path = fd, path[cut+1:]
	}
	fd, err := open(at, cmp.Or(path, "."), flags)
	if at != root {
		unix.Close(at)
	}
	return fd, err
}

// openat2 is the system call; tests take it away.
var openat2 = unix.Openat2

func piece(at int, path string, flags int) (int, error) {
	fd, err := Retry(func() (int, error) {
		return openat2(at, path, &unix.OpenHow{
			Flags:   uint64(flags | unix.O_CLOEXEC),
			Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
		})
	})
	if err == unix.ENOSYS || err == unix.EPERM { // an old kernel, or a sandbox that does not know the call
		return walk(at, path, flags)
	}
	return fd, err
}
