package snapshot

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// descriptor is a directory by descriptors: names are read with getdents64 into a buffer that is
// used again and again, and each is given to fstatat as it lies there, NUL-terminated. Compared with
// os.ReadDir and Lstat this saves the path look-up, and every allocation.
type descriptor struct {
	root  int
	links bool
	fd    int    // the open directory, or -1
	buf   []byte // linux_dirent64 records, one after the other
	names []span
	st    unix.Stat_t // here, so that it need not be cleared for each call
}

// span is where a name lies in the buffer; a NUL follows it.
type span struct{ at, len int }

const (
	direntMin = 32 << 10 // how much room one getdents64 gets at least
	direntMax = 4 << 20  // a buffer that grew beyond this is not kept

	// struct linux_dirent64 { u64 ino; s64 off; u16 reclen; u8 type; char name[]; }
	reclenAt = 16
	nameAt   = 19
)

func openDirectory(root string, links bool) (directory, error) {
	fd, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	return &descriptor{root: fd, links: links, fd: -1}, nil
}

func (d *descriptor) open(path string) (opened, error) {
	d.leave()
	fd, err := openBeneath(d.root, path, unix.O_RDONLY|unix.O_DIRECTORY, d.links)
	if err != nil {
		return opened{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	d.fd = fd
	o, err := identify(fd)
	if err != nil {
		return opened{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return o, nil
}

// identify asks statx, which alone knows the root of a bind mount, and fstat where there is none.
func identify(fd int) (opened, error) {
	var x unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_INO, &x)
	if err == nil {
		return opened{
			dev:   unix.Mkdev(x.Dev_major, x.Dev_minor),
			ino:   x.Ino,
			mount: x.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0,
		}, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return opened{}, err
	}
	return opened{dev: uint64(st.Dev), ino: uint64(st.Ino)}, nil
}

func (d *descriptor) list() (int, error) {
	err := d.read()
	d.index()
	return len(d.names), err
}

// read fills the buffer with all records, or with those that came before an error.
func (d *descriptor) read() error {
	d.buf = d.buf[:0]
	for {
		if cap(d.buf)-len(d.buf) < direntMin {
			d.buf = slices.Grow(d.buf, max(2*direntMin, cap(d.buf)))
		}
		n, err := unix.Getdents(d.fd, d.buf[len(d.buf):cap(d.buf)])
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ENOENT && d.removed():
			d.buf = d.buf[:0] // what it gave before is gone as well: only what is empty can be removed
			return os.NewSyscallError("getdents64", err)
		case err != nil:
			return os.NewSyscallError("getdents64", err)
		case n == 0:
			return nil
		}
		d.buf = d.buf[:len(d.buf)+n]
	}
}

// index finds the names in the buffer and sorts them.
func (d *descriptor) index() {
	d.names = d.names[:0]
	for at := 0; at < len(d.buf); {
		record := d.buf[at:]
		size := int(binary.NativeEndian.Uint16(record[reclenAt:]))
		name := record[nameAt:size]
		name = name[:bytes.IndexByte(name, 0)]
		if string(name) != "." && string(name) != ".." {
			d.names = append(d.names, span{at + nameAt, len(name)})
		}
		at += size
	}
	slices.SortFunc(d.names, func(a, b span) int { return bytes.Compare(d.at(a), d.at(b)) })
}

// pick asks for each name, and so costs nothing for the others. Where the answer says little, because
// case does not count or because the system refuses it, all names are read.
func (d *descriptor) pick(names []string) (int, error) {
	d.buf, d.names = d.buf[:0], d.names[:0]
	for _, name := range names {
		if strings.IndexByte(name, 0) >= 0 {
			continue
		}
		at := len(d.buf)
		d.buf = append(append(d.buf, name...), 0)
		err := fstatat(d.fd, &d.buf[at], &d.st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT)
		switch {
		case err == nil && !d.folds(name):
			d.names = append(d.names, span{at, len(name)})
		case err == nil || !disproves(err):
			return d.sift(names)
		}
	}
	if len(d.names) < len(names) && d.removed() {
		return 0, os.NewSyscallError("fstatat", unix.ENOENT)
	}
	return len(d.names), nil
}

// folds reports whether case may not count in the directory, given a name that is there: the same name
// in other letters is there as well. Only the directory knows: on ext4 it is set for each.
func (d *descriptor) folds(name string) bool {
	other := swapCase(name)
	return other != name && d.lookup([]byte(other)) == nil
}

// swapCase returns name with all its letters in the other case.
func swapCase(name string) string {
	if !utf8.ValidString(name) {
		return name // a file system that knows letters has no such name
	}
	return strings.Map(func(r rune) rune {
		if upper := unicode.ToUpper(r); upper != r {
			return upper
		}
		return unicode.ToLower(r)
	}, name)
}

// sift reads all names and picks from these.
func (d *descriptor) sift(names []string) (int, error) {
	if _, err := unix.Seek(d.fd, 0, io.SeekStart); err != nil {
		return 0, os.NewSyscallError("lseek", err)
	}
	n, err := d.list()
	chosen := choose(d, n, names)
	for to, from := range chosen {
		d.names[to] = d.names[from]
	}
	d.names = d.names[:len(chosen)]
	return len(chosen), err
}

// removed reports whether the open directory was removed meanwhile. A removed directory has no names, which says
// nothing about one that may have the path now.
func (d *descriptor) removed() bool {
	return unix.Fstat(d.fd, &d.st) == nil && d.st.Nlink == 0
}

func (d *descriptor) at(s span) []byte { return d.buf[s.at : s.at+s.len] }

func (d *descriptor) name(i int) []byte { return d.at(d.names[i]) }

func (d *descriptor) stat(i int, e *Entry) error {
	name := &d.buf[d.names[i].at]
	if err := fstatat(d.fd, name, &d.st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT); err != nil {
		return err
	}
	entryOfStat(&d.st, e)
	return measureLink(e, func() (string, error) { return readLinkOf(d.fd, unix.BytePtrToString(name)) })
}

func (d *descriptor) follow(i int, e *Entry) error {
	if err := fstatat(d.fd, &d.buf[d.names[i].at], &d.st, 0); err != nil {
		return err
	}
	entryOfStat(&d.st, e)
	return nil
}

func (d *descriptor) lookup(name []byte) error {
	return unix.Fstatat(d.fd, string(name), &d.st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT)
}

func (d *descriptor) fsid() uint64 { return fileSystemID(d.fd) }

// leave closes the open directory, but not the root.
func (d *descriptor) leave() {
	if d.fd >= 0 {
		unix.Close(d.fd)
	}
	d.fd = -1
	if cap(d.buf) > direntMax {
		d.buf, d.names = nil, nil
	}
}

func (d *descriptor) close() error {
	d.leave()
	return unix.Close(d.root)
}
