package backends

import (
	"encoding/hex"
	"hash"

	"github.com/rclone/rclone/fs"
	rhash "github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/snapshot"
)

// NewHash returns the function that t names, or nil if this program does not have it: the backend
// that defines it may be left out of a slim build.
func NewHash(t snapshot.HashType) hash.Hash {
	var r rhash.Type
	if t == snapshot.NoHash || r.Set(t.String()) != nil {
		return nil
	}
	set := rhash.NewHashSet(r)
	m, err := rhash.NewMultiHasherTypes(set)
	if err != nil {
		return nil
	}
	return single{m, r, rhash.Width(r, false) / 2}
}

// single makes one hash.Hash of a MultiHasher for one type, which is all that rclone exports.
type single struct {
	*rhash.MultiHasher
	t     rhash.Type
	bytes int
}

func (s single) Sum(b []byte) []byte {
	sum, _ := s.MultiHasher.Sum(s.t)
	return append(b, sum...)
}

func (s single) Size() int      { return s.bytes }
func (s single) BlockSize() int { return 64 }

// Reset is never needed here: each content gets a new hash.
func (s single) Reset() { panic("backends: a hash cannot be used again") }

// cheapHash chooses the algorithm in which f knows the content of its objects without reading them
// or asking for each; rhash.None if there is none. The order prefers what costs us least.
func cheapHash(f fs.Fs) rhash.Type {
	if ft := f.Features(); ft.SlowHash || ft.IsLocal {
		return rhash.None
	}
	set := f.Hashes()
	for _, t := range []rhash.Type{rhash.XXH128, rhash.BLAKE3, rhash.MD5, rhash.SHA1, rhash.SHA256, rhash.CRC32} {
		if set.Contains(t) {
			return t
		}
	}
	return set.GetOne()
}

// parseHash packs rclone's text form of a hash as snapshot.Hash says. "" is no hash.
func parseHash(t snapshot.HashType, sum string) (snapshot.HashType, snapshot.Hash) {
	var h snapshot.Hash
	b, err := hex.DecodeString(sum)
	if err != nil || len(b) == 0 || t == snapshot.NoHash {
		return snapshot.NoHash, h
	}
	copy(h[:], b)
	return t, h
}

// hashType is the snapshot's number for an algorithm of rclone; NoHash if it has none.
func hashType(r rhash.Type) snapshot.HashType {
	t, _ := snapshot.ParseHashType(r.String())
	return t
}
