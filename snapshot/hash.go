package snapshot

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/zeebo/xxh3"
)

const hashBuffer = 256 << 10

// HashFile reads the file or kept symbolic link at path, relative to cfg.Root, once. It returns its
// entry with its XXH3 hash, as Content.Result does, and its hashes of the given types; one longer
// than a Hash is cut off. Errors are those of NewContent and of the stream.
func HashFile(ctx context.Context, cfg Config, path string, types ...HashType) (Entry, map[HashType]Hash, error) {
	c, err := NewContent(cfg, path)
	if err != nil {
		return Entry{}, nil, err
	}
	defer c.Close()
	newHash := cfg.NewHash
	if newHash == nil {
		newHash = standardHash
	}
	hashes := make([]hash.Hash, len(types))
	for i, t := range types {
		if hashes[i] = newHash(t); hashes[i] == nil {
			return Entry{}, nil, fmt.Errorf("hash %q: this program cannot compute %q", path, t)
		}
	}
	r, err := c.Open()
	if err != nil {
		return Entry{}, nil, err
	}
	defer r.Close()
	buf := make([]byte, min(c.Entry().Size+1, hashBuffer))
	for {
		if err := ctx.Err(); err != nil {
			return Entry{}, nil, fmt.Errorf("hash %q: %w", path, err)
		}
		n, err := r.Read(buf)
		for _, h := range hashes {
			h.Write(buf[:n])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return Entry{}, nil, err
		}
	}
	all := make(map[HashType]Hash, len(types))
	for i, t := range types {
		var sum Hash
		copy(sum[:], hashes[i].Sum(nil))
		all[t] = sum
	}
	e, _ := c.Result()
	return e, all, nil
}

// standardHash has the common algorithms that the standard library has, and XXH3, which a Content computes anyway.
func standardHash(t HashType) hash.Hash {
	switch t.String() {
	case XXH3.String():
		return xxh3.New128()
	case "md5":
		return md5.New()
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	}
	return nil
}
