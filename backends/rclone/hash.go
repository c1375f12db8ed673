package rclone

import (
	"context"
	"encoding/hex"
	"hash"
	"io"

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

func (s single) Size() int { return s.bytes }

func (s single) BlockSize() int { return 64 }

// Reset is never needed here: each content gets a new hash.
func (s single) Reset() { panic("rclone: a hash cannot be used again") }

// HashStream reads in to its end, and returns how much that was. The hash is of type want, or XXH3 if this program
// lacks that.
func HashStream(ctx context.Context, in io.Reader, want snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, n int64, err error) {
	t, sum := want, NewHash(want)
	if sum == nil {
		t, sum = snapshot.XXH3, NewHash(snapshot.XXH3)
	}
	n, err = Copy(ctx, sum, in, -1)
	copy(h[:], sum.Sum(nil))
	return t, h, n, err
}

// ParseHash packs rclone's text form of a hash as snapshot.Hash says. "" is no hash.
func ParseHash(t snapshot.HashType, sum string) (snapshot.HashType, snapshot.Hash) {
	var h snapshot.Hash
	b, err := hex.DecodeString(sum)
	if err != nil || len(b) == 0 || t == snapshot.NoHash {
		return snapshot.NoHash, h
	}
	copy(h[:], b)
	return t, h
}

// HashType is the snapshot's number for an algorithm of rclone; NoHash if it has none.
func HashType(r rhash.Type) snapshot.HashType {
	t, _ := snapshot.ParseHashType(r.String())
	return t
}
