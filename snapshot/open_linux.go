package snapshot

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// pieceMax is the longest path that is given to one system call. PATH_MAX is 4096 with the NUL, and
// trees may be deeper than that.
const pieceMax = 4000

func openRoot(root string) (int, error) {
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: root, Err: err}
	}
	return fd, nil
}

// openBeneath opens path, relative to the descriptor root, in as many pieces as it takes. Unless
// links is set, a symbolic link anywhere in path is an error: when the scan looked there was none.
func openBeneath(root int, path string, flags int, links bool) (int, error) {
	at := root
	for len(path) > pieceMax {
		cut := strings.LastIndexByte(path[:pieceMax], '/')
		fd, err := openPiece(at, path[:max(cut, 0)], unix.O_PATH|unix.O_DIRECTORY, links)
		if at != root {
			unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		at, path = fd, path[cut+1:]
	}
	fd, err := openPiece(at, path, flags, links)
	if at != root {
		unix.Close(at)
	}
	return fd, err
}

func openPiece(at int, path string, flags int, links bool) (int, error) {
	if path == "" {
		path = "."
	}
	flags |= unix.O_CLOEXEC
	if links {
		return retry(func() (int, error) { return unix.Openat(at, path, flags, 0) })
	}
	flags |= unix.O_NOFOLLOW
	fd, err := retry(func() (int, error) {
		return unix.Openat2(at, path, &unix.OpenHow{
			Flags:   uint64(flags),
			Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
		})
	})
	if err == unix.ENOSYS || err == unix.EPERM {
		// An old kernel, or a sandbox that does not know the call. Of the path's symbolic links only
		// the last one is refused then; the scan compares inodes as well.
		return retry(func() (int, error) { return unix.Openat(at, path, flags, 0) })
	}
	return fd, err
}

// retry calls open until no signal interrupts it.
func retry(open func() (int, error)) (int, error) {
	for {
		fd, err := open()
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// openFile opens a file to be read. O_NONBLOCK keeps a fifo that took its path from hanging us.
func openFile(root, path string, links bool) (*os.File, error) {
	fd, err := openIn(root, path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, links)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// statFile fills e with what path is now.
func statFile(root, path string, links bool, e *Entry) error {
	fd, err := openIn(root, path, unix.O_PATH, links)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	entryOfStat(&st, e)
	if e.Kind == Symlink && e.Size == 0 {
		target, err := readLinkOf(fd, "")
		e.Size = int64(len(target))
		return err
	}
	return nil
}

// readLink returns the target of the symbolic link at path.
func readLink(root, path string) (string, error) {
	fd, err := openIn(root, path, unix.O_PATH, false)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return readLinkOf(fd, "")
}

// readLinkOf returns the target of name in the directory fd, or of fd itself if name is empty.
func readLinkOf(fd int, name string) (string, error) {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, name, target)
	if err != nil {
		return "", err
	}
	return string(target[:n]), nil
}

// openIn is openBeneath for a single use of the root.
func openIn(root, path string, flags int, links bool) (int, error) {
	at, err := openRoot(root)
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	return openBeneath(at, path, flags, links)
}
