package snapshot

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// directory is all that a scan sees of the operating system: the directories beneath one root, one
// open at a time. It belongs to one goroutine. There are two: the portable one below, and on Linux a
// faster one. Tests put a failing one between.
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

// portable is a directory by os functions alone, and by whole paths.
type portable struct {
	root  string
	links bool // follow symbolic links
	path  string
	all   []string // what list read, once it did
	err   error    // what kept list from reading more
	names []string // those of all that were asked for
	f     *os.File
	dev   uint64
}

func openPortable(root string, links bool) (directory, error) {
	fi, err := os.Stat(root)
	if err == nil && !fi.IsDir() {
		err = &fs.PathError{Op: "open", Path: root, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return nil, err
	}
	return &portable{root: root, links: links}, nil
}

func (d *portable) at(name string) string { return filepath.Join(d.path, name) }

func (d *portable) open(path string) (opened, error) {
	d.close()
	d.path = filepath.Join(d.root, filepath.FromSlash(path))
	if fi, err := os.Lstat(d.path); err == nil && !fi.IsDir() && !d.links && path != "" {
		return opened{}, &fs.PathError{Op: "open", Path: d.path, Err: syscall.ENOTDIR}
	}
	f, err := os.Open(d.path)
	if err != nil {
		return opened{}, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return opened{}, err
	}
	var e Entry
	entryOf(fi, &e)
	d.f, d.dev = f, e.Dev
	return opened{dev: e.Dev, ino: e.Ino}, nil
}

func (d *portable) list() (int, error) {
	if d.all == nil && d.err == nil {
		d.all, d.err = d.f.Readdirnames(-1)
		if d.err != nil && vanished(d.lookup(nil)) {
			d.all = nil
		}
		slices.Sort(d.all)
	}
	d.names = d.all
	return len(d.names), d.err
}

// pick reads all names: whether case counts in a directory is not to be asked for everywhere.
func (d *portable) pick(names []string) (int, error) {
	n, err := d.list()
	chosen := choose(d, n, names)
	d.names = make([]string, len(chosen))
	for to, from := range chosen {
		d.names[to] = d.all[from]
	}
	return len(chosen), err
}

func (d *portable) name(i int) []byte { return []byte(d.names[i]) }

func (d *portable) stat(i int, e *Entry) error {
	path := d.at(d.names[i])
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	entryOf(fi, e)
	if e.Kind == Symlink && e.Size == 0 {
		// Some systems do not say how long the target is.
		target, err := os.Readlink(path)
		e.Size = int64(len(target))
		return err
	}
	return nil
}

func (d *portable) follow(i int, e *Entry) error {
	fi, err := os.Stat(d.at(d.names[i]))
	if err != nil {
		return err
	}
	entryOf(fi, e)
	return nil
}

func (d *portable) lookup(name []byte) error {
	_, err := os.Lstat(d.at(string(name)))
	return err
}

func (d *portable) fsid() uint64 { return d.dev }

func (d *portable) close() error {
	if d.f == nil {
		return nil
	}
	err := d.f.Close()
	d.f, d.all, d.err, d.names = nil, nil, nil, nil
	return err
}

// entryOf fills e from fi. What the system alone knows comes from systemStat.
func entryOf(fi fs.FileInfo, e *Entry) {
	*e = Entry{Mode: uint32(fi.Mode().Perm()), Mtime: fi.ModTime().UnixNano()}
	switch mode := fi.Mode(); {
	case mode.IsRegular():
		e.Kind, e.Size = File, fi.Size()
	case mode.IsDir():
		e.Kind = Dir
	case mode.Type() == fs.ModeSymlink:
		e.Kind, e.Size = Symlink, fi.Size()
	}
	systemStat(fi, e)
}

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
