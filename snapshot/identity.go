package snapshot

import (
	"fmt"
	"os"
)

// Identity tells one root of a source from another that took its path: the disk that is not mounted
// today, the directory that was removed and made again. The engine keeps it and compares. A zero
// field is one that the system does not have.
type Identity struct {
	Dev   uint64 `json:"dev"`   // for information: numbers change between boots
	Ino   uint64 `json:"ino"`   // of the directory
	FSID  uint64 `json:"fsid"`  // of the file system
	Btime int64  `json:"btime"` // birth of the directory, nanoseconds since the Unix epoch
}

// Identify returns the identity of the directory root now. A root that cannot be looked at, or is no
// directory, is ErrSourceGone.
func Identify(root string) (Identity, error) {
	fi, err := os.Stat(root)
	if err != nil {
		return Identity{}, fmt.Errorf("identify source: %w: %w", ErrSourceGone, err)
	}
	if !fi.IsDir() {
		return Identity{}, fmt.Errorf("identify source: %w: %s is not a directory", ErrSourceGone, root)
	}
	var e Entry
	entryOf(fi, &e)
	id := Identity{Dev: e.Dev, Ino: e.Ino}
	if a, err := openAnchor(root); err == nil {
		id.FSID, id.Btime = a.fsid(), a.birth("", true)
		a.Close()
	}
	return id, nil
}

// Same reports whether o is the same directory, and if not, why, for a person. Neither the inode nor
// the birth alone would do: ext4 gives the inode of a removed directory to the next one that is
// made, and a copy of a disk has the births of the original.
func (id Identity) Same(o Identity) (same bool, reason string) {
	switch {
	case id.FSID != o.FSID && id.FSID != 0 && o.FSID != 0:
		return false, "it is on another file system: is something not mounted, or is another disk in its place?"
	case (id.FSID == 0 || o.FSID == 0) && id.Dev != o.Dev:
		return false, "it is on another device: is something not mounted, or is another disk in its place?"
	case id.Ino != o.Ino, id.Btime != o.Btime && id.Btime != 0 && o.Btime != 0:
		return false, "it is another directory at the same path: the old one was removed or renamed"
	}
	return true, ""
}
