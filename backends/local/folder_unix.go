//go:build unix

package local

import (
	"errors"
	iofs "io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/snapsync/snapsync/snapshot/beneath"
)

// folder is an open directory of the remote. What is done in it by name reaches nothing else, whatever becomes of its path.
type folder struct {
	fd   int
	path string // for errors
}

// identity tells whether two names stand for one file.
type identity struct{ dev, ino uint64 }

func (f *found) same(other *found) bool { return f.id == other.id }

// openFolder opens dir beneath root, or says errLink if there is a symbolic link on the way.
func openFolder(root, dir string) (*folder, error) {
	fd, err := beneath.Retry(func() (int, error) { return unix.Open(root, beneath.Passing|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: root, Err: err}
	}
	if dir == "" {
		return &folder{fd, root}, nil
	}
	defer unix.Close(fd)
	path := filepath.Join(root, dir)
	at, err := beneath.Open(fd, dir, beneath.Passing)
	if errors.Is(err, unix.ELOOP) {
		return nil, errLink
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &folder{at, path}, nil
}

func (d *folder) close() { unix.Close(d.fd) }

// call makes a system call about name.
func (d *folder) call(op, name string, call func() error) error {
	_, err := beneath.Retry(func() (int, error) { return 0, call() })
	if err != nil {
		return &os.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
	}
	return nil
}

func (d *folder) lstat(name string) (f found, err error) {
	var st unix.Stat_t
	err = d.call("lstat", name, func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil {
		return f, err
	}
	f = found{kind: iofs.ModeIrregular, size: st.Size, mtime: time.Unix(st.Mtim.Unix()), id: identity{uint64(st.Dev), uint64(st.Ino)}}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		f.kind = 0
	case unix.S_IFDIR:
		f.kind = os.ModeDir
	case unix.S_IFLNK:
		f.kind = os.ModeSymlink
	}
	return f, nil
}

// list returns the names in the directory.
func (d *folder) list() ([]string, error) {
	f, err := d.openFile(".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// read opens a file to be read, through no link.
func (d *folder) read(name string) (*os.File, error) { return d.openFile(name, unix.O_RDONLY) }

// create makes a file that must not exist.
func (d *folder) create(name string) (*os.File, error) {
	return d.openFile(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
}

func (d *folder) openFile(name string, flags int) (*os.File, error) {
	fd := -1
	err := d.call("open", name, func() (err error) {
		fd, err = unix.Openat(d.fd, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o666)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

func (d *folder) readlink(name string) (target string, err error) {
	text := make([]byte, unix.PathMax)
	err = d.call("readlink", name, func() error {
		n, err := unix.Readlinkat(d.fd, name, text)
		target = string(text[:max(n, 0)])
		return err
	})
	return target, err
}

func (d *folder) symlink(target, name string) error {
	return d.call("symlink", name, func() error { return unix.Symlinkat(target, d.fd, name) })
}

func (d *folder) mkdir(name string) error {
	return d.call("mkdir", name, func() error { return unix.Mkdirat(d.fd, name, 0o777) })
}

func (d *folder) rename(name string, to *folder, target string) error {
	return d.call("rename", name, func() error { return unix.Renameat(d.fd, name, to.fd, target) })
}

// setMtime sets the mtime, and the atime with it as rclone does, of a file or of a link itself.
func (d *folder) setMtime(name string, mtime time.Time) error {
	return d.call("utimensat", name, func() error {
		ts, err := unix.TimeToTimespec(mtime)
		if err != nil {
			return err
		}
		return unix.UtimesNanoAt(d.fd, name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	})
}

// removeFile removes anything but a directory.
func (d *folder) removeFile(name string) error {
	return d.call("unlink", name, func() error { return unix.Unlinkat(d.fd, name, 0) })
}

// removeDir removes an empty directory, and nothing else.
func (d *folder) removeDir(name string) error {
	return d.call("rmdir", name, func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) })
}

// reserve does nothing: what is reserved could be a hole, and the file systems keep what is written at once together.
func reserve(*os.File, int64) error { return nil }
