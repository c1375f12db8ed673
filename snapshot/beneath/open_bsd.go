//go:build unix && !linux

package beneath

import "golang.org/x/sys/unix"

// Passing are the flags for a directory that is only passed through, or worked in by name.
const Passing = unix.O_RDONLY | unix.O_DIRECTORY

// Open opens path, relative to the descriptor root. A symbolic link in place of a directory, or at the end, is ELOOP.
func Open(root int, path string, flags int) (int, error) {
	return walk(root, path, flags)
}
