package watch

import (
	"bytes"
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// lister reads one directory after the other. It looks at the kinds in the listing only, so that a
// file costs nothing: no stat, no allocation.
type lister struct {
	fd  int
	buf []byte // linux_dirent64 records, one after the other
}

const (
	direntBuffer = 32 << 10

	// struct linux_dirent64 { u64 ino; s64 off; u16 reclen; u8 type; char name[]; }
	reclenAt = 16
	typeAt   = 18
	nameAt   = 19
)

// open opens the directory path and says which one that is. If follow is set, path may be a symbolic link.
func (l *lister) open(path string, follow bool) (fileID, error) {
	flags := unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC | unix.O_NONBLOCK
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := ignoreInterrupts(func() (int, error) { return unix.Open(path, flags, 0) })
	if err != nil {
		return fileID{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstatat(fd, ".", &st, 0); err != nil { // by name: who may list a directory may be kept from what is in it
		unix.Close(fd)
		return fileID{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	l.fd = fd
	return fileID{dev: uint64(st.Dev), ino: uint64(st.Ino)}, nil
}

// directories calls found for each directory in the open one.
func (l *lister) directories(found func(name string)) error {
	if l.buf == nil {
		l.buf = make([]byte, direntBuffer)
	}
	for {
		n, err := ignoreInterrupts(func() (int, error) { return unix.Getdents(l.fd, l.buf) })
		if err != nil {
			return os.NewSyscallError("getdents64", err)
		}
		if n == 0 {
			return nil
		}
		for record := l.buf[:n]; len(record) > 0; {
			size := int(binary.NativeEndian.Uint16(record[reclenAt:]))
			kind, name := record[typeAt], record[nameAt:size]
			record = record[size:]
			if kind != unix.DT_DIR && kind != unix.DT_UNKNOWN {
				continue
			}
			name = name[:bytes.IndexByte(name, 0)]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if kind == unix.DT_UNKNOWN { // so the listing does not say
				var st unix.Stat_t
				err := unix.Fstatat(l.fd, string(name), &st, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT)
				if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
					continue
				}
			}
			found(string(name))
		}
	}
}

func (l *lister) close() { unix.Close(l.fd) }

func ignoreInterrupts(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// remote are the kinds of file systems that change without this kernel's doing, of which no event tells. See statfs(2),
// and linux/magic.h.
var remote = map[uint32]bool{
	unix.NFS_SUPER_MAGIC:   true,
	unix.SMB_SUPER_MAGIC:   true,
	unix.CIFS_SUPER_MAGIC:  true,
	unix.SMB2_SUPER_MAGIC:  true,
	unix.FUSE_SUPER_MAGIC:  true, // and virtiofs
	unix.V9FS_MAGIC:        true,
	unix.CODA_SUPER_MAGIC:  true,
	unix.AFS_SUPER_MAGIC:   true,
	unix.AFS_FS_MAGIC:      true,
	unix.CEPH_SUPER_MAGIC:  true,
	unix.OCFS2_SUPER_MAGIC: true,
	0x01161970:             true, // gfs2
	0x0bd00bd0:             true, // lustre
	0x47504653:             true, // gpfs
	0x19830326:             true, // beegfs
	0x20030528:             true, // orangefs
	0x786f4256:             true, // vboxsf
	0xbacbacbc:             true, // vmhgfs
}

// tells reports whether the file system of the open directory tells what happens in it.
func (l *lister) tells() bool {
	var st unix.Statfs_t
	return unix.Fstatfs(l.fd, &st) != nil || !remote[uint32(st.Type)]
}
