package snapshot

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

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

func (d *portable) stat(i int, e *Entry) error { return statPath(d.at(d.names[i]), false, e) }

func (d *portable) follow(i int, e *Entry) error { return statPath(d.at(d.names[i]), true, e) }

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

// statPath fills e with what path is now.
func statPath(path string, links bool, e *Entry) error {
	fi, err := infoOf(path, links)
	if err != nil {
		return err
	}
	entryOf(fi, e)
	return measureLink(e, func() (string, error) { return os.Readlink(path) })
}

func infoOf(path string, links bool) (fs.FileInfo, error) {
	if links {
		return os.Stat(path)
	}
	return os.Lstat(path)
}

// entryOf fills e from fi. What the system alone knows comes from systemStat.
func entryOf(fi fs.FileInfo, e *Entry) {
	*e = Entry{Mode: uint32(fi.Mode().Perm()), Mtime: Nanos(fi.ModTime())}
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
