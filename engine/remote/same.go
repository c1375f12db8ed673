package remote

import (
	"time"

	"github.com/snapsync/snapsync/snapshot"
)

// SameContent reports whether two files are proved to have the same content: by a hash of both, else by their stat as far
// as it can be trusted. moved says that they are at different paths.
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

// sameAdopted compares with what a listing of the remote said. A remote that keeps no mtime tells instead when it was
// written to: the content can only be the same if the file is older than that. Hashes of two kinds mean that the engine
// compared them when it read the file, and they differed.
func (c *Caps) sameAdopted(old, now *snapshot.Entry) bool {
	switch {
	case !KnowsMtime(old):
		return false
	case old.HashType != snapshot.NoHash && now.HashType != snapshot.NoHash:
		return false
	case c.Precision > 0:
		return c.SameMtime(old, now)
	}
	return old.HashType == snapshot.NoHash && old.Mtime >= Truncate(now.Mtime, time.Second)
}

// KnowsMtime reports whether the base entry e says an mtime. 0 of an adopted one is none: the listing did not tell, or
// recovery could not say whose content the remote has. Then no mtime proves anything, not even that of the epoch.
func KnowsMtime(e *snapshot.Entry) bool { return e.Mtime != 0 || !e.Flags.Has(snapshot.Adopted) }

// Two questions are asked about mtimes, and one rule cannot answer both. Remotes keep an mtime to their precision:
// most round it down, some to the nearest, some up, and none says which.
//
//   - SameMtime: do these two stand for one mtime? On a yes a file is believed to be unchanged without being
//     read (adoption), or its mtime is left as it is (touching). So it allows for what rounding down loses and no
//     more: a file that was replaced by one half a second older must not pass for the same. A remote that
//     rounds otherwise is sent, or touched, once too often; from then on the base knows the mtime in full.
//   - MayHold: can this be what the remote made of that? On a no the remote is believed to hold something else,
//     and is given the file once more (verification), or an interrupted send is taken for one that did not happen
//     (recovery). So it allows for every way of rounding: else one that does not round down would be given the
//     same file again after every look.

// SameMtime reports whether a remote that rounds down cannot tell the two mtimes apart: whether they are in one
// multiple of the precision. One that keeps no mtime cannot tell any apart.
func (c *Caps) SameMtime(old, now *snapshot.Entry) bool {
	return c.Precision <= 0 || quantum(c.Mtimes.wrap(old.Mtime), c.Precision) == quantum(c.Mtimes.wrap(now.Mtime), c.Precision)
}

// MayHold reports whether a remote may show held, in ns, for a file that was given the mtime ns: whether they are
// less than the precision apart, as rclone has it. What it makes of an mtime that it cannot keep is anybody's guess. Two
// mtimes that a remote shows are compared in the same way.
func (c *Caps) MayHold(held, ns int64) bool {
	if !c.Mtimes.keeps(ns) {
		return true
	}
	held, ns = c.Mtimes.wrap(held), c.Mtimes.wrap(ns)
	// The difference of two int64 may not be one, but is an uint64.
	return c.Precision <= 0 || uint64(max(held, ns))-uint64(min(held, ns)) < uint64(c.Precision)
}

// Contradicts reports whether what a remote shows of a file cannot be what the base has of it.
func (c *Caps) Contradicts(base, there *snapshot.Entry) bool {
	switch {
	case base == nil:
		return false
	case base.Kind != there.Kind || base.Kind == snapshot.Dir:
		return base.Kind != there.Kind
	case base.Size != there.Size:
		return true
	case base.HashType != snapshot.NoHash && base.HashType == there.HashType:
		return base.Hash != there.Hash
	case base.Mtime == 0 || there.Mtime == 0 || !c.SetModTime:
		return false // a remote that cannot set an mtime has an older one of a touched file
	}
	return !c.MayHold(there.Mtime, base.Mtime)
}

// quantum numbers the multiples of precision, also before 1970.
func quantum(ns int64, precision time.Duration) int64 {
	q := ns / int64(precision)
	if ns%int64(precision) < 0 {
		q--
	}
	return q
}

// Truncate rounds nanoseconds down, also before 1970.
func Truncate(ns int64, to time.Duration) int64 { return quantum(ns, to) * int64(to) }

// KeepsTimes reports whether the remote's mtimes are those of the base: where an mtime cannot be set without sending the file
// again, a touched file keeps its old one on the remote.
func (c *Caps) KeepsTimes() bool { return c.Precision > 0 && c.SetModTime }
