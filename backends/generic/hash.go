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

// cheapHash chooses the algorithm in which f knows the content of its objects without reading them
// or asking for each; rhash.None if there is none. The order prefers what costs us least.
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

// Hash implements remote.Connection. A hash that the remote has, or computes itself, is taken before
// the file is read through the network.
func (g *Connection) Hash(ctx context.Context, path string, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	var (
		t snapshot.HashType
		h snapshot.Hash
	)
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.object(ctx, path)
		if errors.Is(err, fs.ErrorIsDir) {
			return fmt.Errorf("%w: %w", remote.ErrNotFound, err)
		} else if err != nil {
			return g.beneathFile(ctx, path, err)
		}
		if t, h, err = g.ownHash(ctx, o, want); err != nil || t != snapshot.NoHash {
			return err
		}
		t, h, err = download(ctx, o, want)
		return err
	})
	if err != nil {
		return snapshot.NoHash, snapshot.Hash{}, fmt.Errorf("hash %q: %w", path, err)
	}
	return t, h, nil
}

// ownHash asks the remote, and returns NoHash if it has none. A failure that says nothing about the
// remote or the file, such as of a command on an SFTP server, is a remote that has none.
func (g *Connection) ownHash(ctx context.Context, o fs.Object, want snapshot.HashType) (snapshot.HashType, snapshot.Hash, error) {
	set := g.f.Hashes()
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
			g.log.Debug("the remote cannot tell the hash of a file", "name", o.Remote(), "type", r, "err", err)
			return snapshot.NoHash, snapshot.Hash{}, nil
		}
		if t, h := rclone.ParseHash(rclone.HashType(r), sum); t != snapshot.NoHash {
			return t, h, nil
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
