package snapshot

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"syscall"
)

// directory is all that a scan sees of the operating system: the directories beneath one root, one
// open at a time. It belongs to one goroutine. There are two: portable, and on Linux
// descriptor, which is faster. Tests put a failing one between.
//
// Errors are as the system gave them, so that errors.Is finds fs.ErrNotExist and fs.ErrPermission.
type directory interface {
	// open opens the directory at path, which is relative to the root, in the place of what was
	// open before. It does not follow a symbolic link at the end of path unless links are followed.
	open(path string) (opened, error)
	// list reads all names in it, sorts them bytewise and returns how many there are. Together with
	// an error it returns how many it got before that; none if the directory was removed meanwhile.
	list() (int, error)
	// pick is list for these names alone, which are sorted; it need not read the others. Where case
	// does not count, what is there in other letters than asked for is picked under its own name.
	pick(names []string) (int, error)
	// name returns the i-th name. It is valid until the next call of open, list or pick.
	name(i int) []byte
	// stat fills e with what the i-th name is; e.Kind is 0 if it is none of the kinds. It does not
	// follow a symbolic link, nor mount anything.
	stat(i int, e *Entry) error
	// follow is stat of what the i-th name, a symbolic link, leads to.
	follow(i int, e *Entry) error
	// lookup reports whether the name can be found now, whether or not list gave it: nil if so.
	lookup(name []byte) error
	// fsid identifies the file system that the open directory is on; 0 if nothing does.
	fsid() uint64
	close() error
}

// opened is what an open directory is, by its descriptor and not by its path: if it differs from what
// a stat of the path said before, the path was made to lead elsewhere in between.
type opened struct {
	dev, ino uint64
	mount    bool // surely the root of a mount; false: unknown, so compare devices
}

// opener opens the directory at root to be scanned.
type opener func(root string, links bool) (directory, error)

// choose returns which of the n names that d listed are to be picked for these, which are sorted.
func choose(d directory, n int, names []string) (chosen []int) {
	for _, name := range names {
		i, found := search(d, n, name)
		switch {
		case found:
			chosen = append(chosen, i)
		case d.lookup([]byte(name)) == nil:
			// It is there and was not listed: it was made since, or it is listed in other letters.
			for i := range n {
				if bytes.EqualFold(d.name(i), []byte(name)) {
					chosen = append(chosen, i)
				}
			}
		}
	}
	slices.Sort(chosen)
	return slices.Compact(chosen)
}

// search finds name among the n names of d.
func search(d directory, n int, name string) (i int, found bool) {
	lo, hi := 0, n
	for lo < hi {
		mid := (lo + hi) / 2
		if string(d.name(mid)) < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < n && string(d.name(lo)) == name
}

// disproves reports whether a look-up that failed with err proves that the name is not there. The last
// two are for a name, perhaps from the remote, that cannot exist here.
func disproves(err error) bool {
	return vanished(err) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EINVAL)
}

// vanished reports whether err is that of a path which is gone, or on which a file or a symbolic link took the place of
// a directory.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}
