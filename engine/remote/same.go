package remote

import (
	"time"

	"github.com/snapsync/snapsync/snapshot"
)

// SameContent reports whether it is proved that two files have the same content: by a hash of both,
// else by their stat as far as it can be trusted.
func (c *Caps) SameContent(old, now *snapshot.Entry, moved bool) bool {
	switch {
	case old.Kind != now.Kind || old.Size != now.Size:
		return false
	case old.Size == 0:
		return true
	case old.HashType != snapshot.NoHash && old.HashType == now.HashType:
		return old.Hash == now.Hash
	case old.Flags.Has(snapshot.Adopted):
		return c.sameAdopted(old, now)
	case old.Flags.Has(snapshot.Racy):
		return false
	case moved:
		return old.SameFile(now)
	}
	return old.SameStat(now)
}

// sameAdopted compares with what a listing of the remote said. A remote that keeps no mtime tells
// when it was written instead: the content can only be the same if the file is older than that.
// Hashes of two kinds mean that the engine compared them when it read the file, and they differed.
func (c *Caps) sameAdopted(old, now *snapshot.Entry) bool {
	switch {
	case old.HashType != snapshot.NoHash && now.HashType != snapshot.NoHash:
		return false
	case c.Precision > 0:
		return c.SameMtime(old, now)
	}
	return old.HashType == snapshot.NoHash && old.Mtime >= Truncate(now.Mtime, time.Second)
}

// SameMtime reports whether the remote cannot tell the two mtimes apart.
func (c *Caps) SameMtime(old, now *snapshot.Entry) bool {
	return c.Precision <= 0 || Truncate(old.Mtime, c.Precision) == Truncate(now.Mtime, c.Precision)
}

// Truncate rounds nanoseconds down, also before 1970.
func Truncate(ns int64, to time.Duration) int64 {
	rest := ns % int64(to)
	if rest < 0 {
		rest += int64(to)
	}
	return ns - rest
}
