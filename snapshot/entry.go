package snapshot

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"time"
)

// Kind is what a path holds.
type Kind uint8

const (
	File    Kind = 1 + iota // a regular file
	Dir                     // a directory
	Symlink                 // a symbolic link; its content is its target
)

func (k Kind) String() string {
	switch k {
	case File:
		return "file"
	case Dir:
		return "dir"
	case Symlink:
		return "symlink"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Flags qualify an entry of the base. Entries of a head carry at most Racy.
type Flags uint8

const (
	// Racy marks an entry whose mtime or ctime is so close to the moment it was observed that a later
	// write might leave both unchanged. The next scan hashes it instead of trusting its stat.
	Racy Flags = 1 << iota
	// Retained marks what the remote still holds although the source does not: without
	// --complete-sync it is neither planned again nor sent again when it comes back.
	Retained
	// Adopted marks an entry that comes from a listing of the remote, not from a transfer of ours:
	// only Kind, Size, Mtime and perhaps Hash are known, and Mtime has the remote's precision.
	Adopted
	// Foreign marks an Adopted entry that was there before us: nobody has sent it from here, or compared it with the source.
	Foreign
)

// Has reports whether all of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Entry is one path as it was seen at one moment. The path itself is beside it, in Change or in the
// base. Entries are immutable once shared. A nil *Entry means that the path is absent.
//
// The fields are ordered so that an entry is 64 bytes: a million of them is a first run.
type Entry struct {
	Kind     Kind
	Flags    Flags
	HashType HashType // what Hash holds; NoHash if the content was not read
	Mode     uint32   // permission, setuid, setgid and sticky bits as in st_mode
	Size     int64    // bytes; of a symlink, the length of its target; 0 for a directory
	Mtime    int64    // nanoseconds since the Unix epoch
	Ctime    int64    // nanoseconds since the Unix epoch; 0 where the system has none
	Dev      uint64   // st_dev; 0 where the system has none
	Ino      uint64   // st_ino; 0 where the system has none
	Hash     Hash     // of the content, in the algorithm HashType
}

// measureLink sets the size of a symbolic link, which is the length of its target: some systems do not say it.
func measureLink(e *Entry, target func() (string, error)) error {
	if e.Kind != Symlink || e.Size != 0 {
		return nil
	}
	to, err := target()
	e.Size = int64(len(to))
	return err
}

// ModTime returns Mtime as a time.
func (e *Entry) ModTime() time.Time { return time.Unix(0, e.Mtime) }

// Modified returns the earliest and the latest time at which an entry can have been modified: one, unless it comes from a
// listing that does not tell. Of such an entry Ctime is when the remote was written to, 0 if that is unknown as well.
func (e *Entry) Modified() (from, until time.Time) {
	switch {
	case e.Mtime != 0 || !e.Flags.Has(Adopted):
		return e.ModTime(), e.ModTime()
	case e.Ctime != 0:
		return time.Unix(0, 0), time.Unix(0, e.Ctime)
	}
	return time.Unix(0, 0), time.Unix(0, math.MaxInt64)
}

// Nanos is t in nanoseconds since the Unix epoch. What an int64 cannot say, before 1677 and after 2262, is the nearest
// that it can.
func Nanos(t time.Time) int64 {
	const last = math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s <= -last:
		return math.MinInt64
	case s >= last:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// SameStat reports whether nothing that a stat shows says that the content of an unchanged path
// differs: kind, size, mtime, ctime and inode. The device is left out, since device numbers change
// between mounts of the same file system. Of directories only the kind and the inode count.
func (e *Entry) SameStat(o *Entry) bool {
	if e.Kind != o.Kind || e.Ino != o.Ino {
		return false
	}
	return e.Kind == Dir || e.Size == o.Size && e.Mtime == o.Mtime && e.Ctime == o.Ctime
}

// SameFile reports whether o is proved to be the same file with the same content, perhaps at another path: one that came
// along with its directory. A file that was renamed itself has another ctime, and only reading it tells the rename from an
// edit that kept size and mtime, or from another file that got the inode when it was free. Nor does a ctime prove anything
// that only repeats the mtime, which anybody can set: FAT has no other.
func (e *Entry) SameFile(o *Entry) bool {
	ctimeTells := e.Ctime != 0 && (e.Ctime != e.Mtime || e.Ctime%int64(time.Second) != 0)
	return ctimeTells && e.SameStat(o) && e.Ino != 0 && e.Dev == o.Dev
}

// SameContent reports whether both contents are known in the same algorithm and are equal.
// False means "differs or is not known".
func (e *Entry) SameContent(o *Entry) bool {
	return e.Kind == o.Kind && e.Size == o.Size &&
		e.HashType != NoHash && e.HashType == o.HashType && e.Hash == o.Hash
}

// Validate reports what makes e impossible, for instance after reading it from a damaged database.
func (e *Entry) Validate() error {
	switch {
	case e.Kind < File || e.Kind > Symlink:
		return fmt.Errorf("entry: unknown %v", e.Kind)
	case e.Size < 0:
		return fmt.Errorf("entry: negative size %d", e.Size)
	case e.Flags&^(Racy|Retained|Adopted|Foreign) != 0:
		return fmt.Errorf("entry: unknown flags %#x", uint8(e.Flags))
	case e.HashType > lastHashType:
		return fmt.Errorf("entry: unknown hash type %d", e.HashType)
	case e.HashType == NoHash && e.Hash != Hash{}:
		return fmt.Errorf("entry: a hash without a type")
	}
	return nil
}

// Hash is a content hash: XXH3 with 128 bits in big-endian order, or the first 16 bytes of the
// algorithm that a remote offered at adoption, zero-padded if that is shorter.
type Hash [16]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// HashType names the algorithm of a Hash. The numbers are stored in journals: never renumber.
type HashType uint8

const (
	NoHash HashType = 0
	XXH3   HashType = 1 // 128 bits
)

// The hash algorithms that remotes offer, under rclone's names. Only entries that were adopted from
// a listing and not yet compared with the source carry them.
var hashNames = [...]string{
	0: "", 1: "xxh128", 2: "md5", 3: "sha1", 4: "sha256", 5: "sha512", 6: "crc32", 7: "whirlpool",
	8: "blake3", 9: "xxh3", 10: "quickxor", 11: "dropbox", 12: "mailru", 13: "hidrive", 14: "crc32c",
}

const lastHashType = HashType(len(hashNames) - 1)

func (t HashType) String() string {
	if t > lastHashType {
		return fmt.Sprintf("hash(%d)", uint8(t))
	}
	return hashNames[t]
}

// ParseHashType returns the type that rclone calls name, and false for one not known here.
func ParseHashType(name string) (HashType, bool) {
	for i, n := range hashNames {
		if n == name && i > 0 {
			return HashType(i), true
		}
	}
	return NoHash, false
}

// Change is what differs at one path between two trees. Old is nil where the path was absent, New
// where it is absent now. Both set and equal in kind means: something about it may have changed.
type Change struct {
	Path     string // slash-separated, relative to the source, in the source's own bytes
	Old, New *Entry
}

// ComparePaths orders paths as a depth-first walk meets them: like byte order, but with '/' below
// every other byte, so that a directory is followed at once by everything beneath it.
func ComparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

// Beneath reports whether path is strictly inside dir. Everything but the root is beneath "".
func Beneath(path, dir string) bool {
	if dir == "" {
		return path != ""
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && strings.HasPrefix(path, dir)
}

// Split returns the directory and the last name of path; the directory of a top-level name is "".
func Split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// Join is the reverse of Split.
func Join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
