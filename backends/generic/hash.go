package generic

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rclone/rclone/fs"
	rhash "github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// cheapHash chooses the algorithm in which f knows the content of its objects without reading them or asking for each,
// or rhash.None. What costs us least comes first.
func cheapHash(f fs.Fs) rhash.Type {
	if ft := f.Features(); ft.SlowHash || ft.IsLocal {
		return rhash.None
	}
	set := f.Hashes()
	for _, t := range cheapest {
		if set.Contains(t) {
			return t
		}
	}
	return set.GetOne()
}

var cheapest = []rhash.Type{rhash.XXH128, rhash.BLAKE3, rhash.MD5, rhash.SHA1, rhash.SHA256, rhash.CRC32}

// ownHash asks the remote, and returns NoHash if it has none. Neither has one that fails for reasons of its own, such
// as a command on an SFTP server.
func (t *target) ownHash(ctx context.Context, o fs.Object, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	set := t.f.Hashes()
	var first rhash.Type
	if first.Set(want.String()) != nil {
		first = rhash.None
	}
	for _, r := range slices.Concat([]rhash.Type{first}, cheapest, set.Array()) {
		if r == rhash.None || !set.Contains(r) || rclone.HashType(r) == snapshot.NoHash {
			continue
		}
		sum, err := o.Hash(ctx, r)
		if c := rclone.Classify(ctx, err); errors.Is(c, remote.ErrOffline) || errors.Is(c, remote.ErrNotFound) || errors.Is(c, context.Canceled) {
			return snapshot.NoHash, snapshot.Hash{}, err
		}
		if err != nil {
			t.log.Debug("the remote cannot tell the hash of a file", "name", o.Remote(), "type", r, "err", err)
			return snapshot.NoHash, snapshot.Hash{}, nil
		}
		if kind, h := rclone.ParseHash(rclone.HashType(r), sum); kind != snapshot.NoHash {
			return kind, h, nil
		}
	}
	return snapshot.NoHash, snapshot.Hash{}, nil
}

func download(ctx context.Context, o fs.Object, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	in, err := o.Open(ctx)
	if err != nil {
		return snapshot.NoHash, snapshot.Hash{}, err
	}
	t, h, n, err := rclone.HashStream(ctx, in, want)
	if cerr := in.Close(); err == nil {
		err = cerr
	}
	if err == nil && o.Size() >= 0 && n != o.Size() {
		err = fmt.Errorf("%w: got %d bytes instead of %d", remote.ErrTemporary, n, o.Size())
	}
	return t, h, err
}
