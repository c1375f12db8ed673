//go:build unix

package beneath

import (
	"strings"

	"golang.org/x/sys/unix"
)

// walk is Open by openat alone, a directory at a time.
func walk(root int, path string, flags int) (int, error) {
	at := root
	for {
		name, rest, more := strings.Cut(path, "/")
		use := flags
		if more {
			use = Passing
		}
		fd, err := step(at, name, use)
		if at != root {
			unix.Close(at)
		}
		if err != nil || !more {
			return fd, err
		}
		at, path = fd, rest
	}
}

// step opens name in the directory at, which may be the directory itself and nothing above.
func step(at int, name string, flags int) (int, error) {
	switch name {
	case "":
		name = "."
	case "..":
		return -1, unix.EXDEV
	}
	fd, err := Retry(func() (int, error) { return unix.Openat(at, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
	if err == nil || err == unix.ENOENT {
		return fd, err
	}
	// What the systems say of a link that is not followed: ELOOP, ENOTDIR, EMLINK, EFTYPE.
	var st unix.Stat_t
	if unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		err = unix.ELOOP
	}
	return -1, err
}

// Retry makes a system call until no signal interrupts it.
func Retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
