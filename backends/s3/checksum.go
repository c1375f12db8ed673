package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// algorithm is a checksum that a server compares with what arrives. Its text is part of what is
// remembered of an upload.
type algorithm string

const (
	md5Sum algorithm = "md5"    // Content-MD5: every server knows it
	crc32c algorithm = "crc32c" // x-amz-checksum-crc32c: processors have an instruction for it
)

func (a algorithm) new() hash.Hash {
	if a == crc32c {
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	}
	return md5.New()
}

// sum is the checksum of a buffer.
func (a algorithm) sum(b *buffer) []byte {
	h := a.new()
	for _, page := range b.pages {
		h.Write(page)
	}
	return h.Sum(nil)
}

// header returns sum for a request, or nil if it is of another algorithm.
func (a algorithm) header(of algorithm, sum []byte) *string {
	if a != of {
		return nil
	}
	return aws.String(base64.StdEncoding.EncodeToString(sum))
}

// composite is the ETag, or the checksum, of a multipart object whose parts have these checksums.
func (a algorithm) composite(parts [][]byte) string {
	h := a.new()
	h.Write(bytes.Join(parts, nil))
	if a == crc32c {
		return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts))
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// etagMD5 returns the MD5 that an ETag is, or nil: that of a multipart object is something else.
func etagMD5(etag string) []byte {
	sum, err := hex.DecodeString(plainETag(etag))
	if err != nil || len(sum) != md5.Size {
		return nil
	}
	return sum
}

// plainETag is an ETag as some servers write it, and others quote.
func plainETag(etag string) string { return strings.ToLower(strings.Trim(etag, `"`)) }

// trial finds out whether a server verifies CRC32C: one that does says it in its answer. Until then both
// checksums are sent.
type trial struct{ known atomic.Int32 }

func (t *trial) verdict() support { return support(t.known.Load()) }

// learn takes what the first answers say.
func (t *trial) learn(verified bool) {
	s := no
	if verified {
		s = yes
	}
	t.known.CompareAndSwap(int32(unknown), int32(s))
}
