package snapshot

import (
	"io"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/snapsync/snapsync/snapshot/beneath"
)

func openRoot(root string) (int, error) {
	fd, err := beneath.Retry(func() (int, error) { return unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: root, Err: err}
	}
	return fd, nil
}

// openBeneath opens path, relative to the descriptor root. Unless links is set, a symbolic link anywhere in path is an
// error: when the scan looked there was none.
func openBeneath(root int, path string, flags int, links bool) (int, error) {
	if links {
		return beneath.Follow(root, path, flags)
	}
	return beneath.Open(root, path, flags|unix.O_NOFOLLOW)
}

// anchor is the open root of a source. What is looked up beneath is of one tree, and the root's own path is not walked
// again each time.
type anchor struct{ sharedFD }

func openAnchor(root string) (*anchor, error) {
	fd, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	return &anchor{sharedFD{fd: fd}}, nil
}

// open opens a file to be read. O_NONBLOCK keeps a fifo that took its path from hanging us.
func (a *anchor) open(path string, links bool) (*file, error) {
	fd, err := a.lookUp(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, links)
	if err != nil {
		return nil, err
	}
	return &file{sharedFD{fd: fd}}, nil
}

// stat fills e with what path is now.
func (a *anchor) stat(path string, links bool, e *Entry) error {
	fd, err := a.lookUp(path, unix.O_PATH, links)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := statOf(fd, e); err != nil {
		return err
	}
	return measureLink(e, func() (string, error) { return readLinkOf(fd, "") })
}

// readLink returns the target of the symbolic link at path.
func (a *anchor) readLink(path string) (string, error) {
	fd, err := a.lookUp(path, unix.O_PATH, false)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return readLinkOf(fd, "")
}

// birth returns when the inode at path was made, in nanoseconds since the Unix epoch; 0: unknown.
func (a *anchor) birth(path string, links bool) int64 {
	fd, err := a.lookUp(path, unix.O_PATH, links)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	var x unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &x) != nil || x.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return x.Btime.Sec*1e9 + int64(x.Btime.Nsec)
}

// fsid identifies the file system that the root is on.
func (a *anchor) fsid() uint64 { return fileSystemID(a.fd) }

func (a *anchor) lookUp(path string, flags int, links bool) (int, error) {
	root, err := a.acquire()
	if err != nil {
		return -1, err
	}
	defer a.release()
	return openBeneath(root, path, flags, links)
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

// file is an open file of the source. An os.File would ask the system each time whether the file can be polled, and be
// collected: of a small file that is a good part of what reading costs.
type file struct{ sharedFD }

// Read implements io.Reader.
func (f *file) Read(p []byte) (int, error) {
	fd, err := f.acquire()
	if err != nil {
		return 0, err
	}
	defer f.release()
	n, err := beneath.Retry(func() (int, error) { return unix.Read(fd, p) })
	switch {
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// stat fills e with what the open file is now.
func (f *file) stat(e *Entry) error {
	fd, err := f.acquire()
	if err != nil {
		return err
	}
	defer f.release()
	return statOf(fd, e)
}

func statOf(fd int, e *Entry) error {
	var st unix.Stat_t
	if _, err := beneath.Retry(func() (int, error) { return 0, unix.Fstat(fd, &st) }); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	entryOfStat(&st, e)
	return nil
}

// sharedFD is a descriptor that may be closed while it is used: an HTTP client closes a body that it still reads. The
// last user closes the descriptor then, whose number may be another file's a moment later. Nobody waits for that: a
// system call may take for ever.
type sharedFD struct {
	mu     sync.Mutex // guards what follows
	fd     int
	users  int
	closed bool
}

// acquire returns the descriptor, which stays open until release.
func (d *sharedFD) acquire() (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return -1, os.ErrClosed
	}
	d.users++
	return d.fd, nil
}

func (d *sharedFD) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users--; d.closed && d.users == 0 {
		unix.Close(d.fd)
	}
}

// Close implements io.Closer.
func (d *sharedFD) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return os.ErrClosed
	}
	if d.closed = true; d.users > 0 {
		return nil
	}
	return unix.Close(d.fd)
}

// entryOfStat fills e from st; Kind is 0 for what is neither file, directory nor symbolic link.
func entryOfStat(st *unix.Stat_t, e *Entry) {
	*e = Entry{
		Mode:  uint32(st.Mode) & 0o7777,
		Size:  st.Size,
		Mtime: Nanos(time.Unix(st.Mtim.Unix())),
		Ctime: Nanos(time.Unix(st.Ctim.Unix())),
		Dev:   uint64(st.Dev),
		Ino:   uint64(st.Ino),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		e.Kind = File
	case unix.S_IFLNK:
		e.Kind = Symlink
	case unix.S_IFDIR:
		e.Kind, e.Size = Dir, 0
	default:
		e.Size = 0
	}
}

// fileSystemID mixes the identifier and the type of the file system that fd is on. Several kinds
// (FUSE, NFS) have no identifier, so that only their type tells them apart. 0: it cannot be asked.
func fileSystemID(fd int) uint64 {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return 0
	}
	id := *(*uint64)(unsafe.Pointer(&st.Fsid))
	return (id ^ uint64(st.Type)*0x9e3779b97f4a7c15) | 1
}
