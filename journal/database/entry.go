package database

import (
	"encoding/binary"
	"fmt"

	"github.com/snapsync/snapsync/snapshot"
)

// An entry is stored in 64 bytes, numbers big-endian:
//
//	offset  bytes
//	     0      1  format: 1
//	     1      1  kind
//	     2      1  hash type
//	     3      1  flags
//	     4      4  mode
//	     8      8  size
//	    16     16  hash; zero if the hash type is 0
//	    32      8  mtime
//	    40      8  ctime
//	    48      8  device
//	    56      8  inode
//
// Size and hash are neighbours, and big-endian, so that an index on bytes 8 to 31 finds contents and
// ranges of sizes; the package base depends on that, and on format, kind and hash type being the first three.
const (
	packedSize   = 64
	packedFormat = 1
)

// pack encodes an entry.
func pack(e *snapshot.Entry) (p [packedSize]byte) {
	p[0], p[1], p[2], p[3] = packedFormat, byte(e.Kind), byte(e.HashType), byte(e.Flags)
	binary.BigEndian.PutUint32(p[4:], e.Mode)
	binary.BigEndian.PutUint64(p[8:], uint64(e.Size))
	copy(p[16:32], e.Hash[:])
	binary.BigEndian.PutUint64(p[32:], uint64(e.Mtime))
	binary.BigEndian.PutUint64(p[40:], uint64(e.Ctime))
	binary.BigEndian.PutUint64(p[48:], e.Dev)
	binary.BigEndian.PutUint64(p[56:], e.Ino)
	return p
}

// unpack decodes into e what pack encoded. Any other bytes are an error: a flipped bit must not
// become a delete.
func unpack(b []byte, e *snapshot.Entry) error {
	if len(b) != packedSize {
		return fmt.Errorf("entry of %d bytes instead of %d", len(b), packedSize)
	}
	if b[0] != packedFormat {
		return fmt.Errorf("entry in unknown format %d", b[0])
	}
	*e = snapshot.Entry{
		Kind:     snapshot.Kind(b[1]),
		HashType: snapshot.HashType(b[2]),
		Flags:    snapshot.Flags(b[3]),
		Mode:     binary.BigEndian.Uint32(b[4:]),
		Size:     int64(binary.BigEndian.Uint64(b[8:])),
		Hash:     snapshot.Hash(b[16:32]),
		Mtime:    int64(binary.BigEndian.Uint64(b[32:])),
		Ctime:    int64(binary.BigEndian.Uint64(b[40:])),
		Dev:      binary.BigEndian.Uint64(b[48:]),
		Ino:      binary.BigEndian.Uint64(b[56:]),
	}
	return e.Validate()
}
