package client

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/engine/remote"
)

// Algorithm is a checksum that a server compares with what arrives. Its text is part of upload's tickets.
type Algorithm string

const (
	MD5    Algorithm = "md5"    // Content-MD5: every server knows it
	CRC32C Algorithm = "crc32c" // x-amz-checksum-crc32c: processors have an instruction for it
)

func (a Algorithm) new() hash.Hash {
	if a == CRC32C {
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	}
	return md5.New()
}

// Sum is the checksum of a buffer.
func (a Algorithm) Sum(b *buffer.Buffer) []byte { return b.Sum(a.new()) }

// header returns sum for a request, or nil if it is of another algorithm.
func (a Algorithm) header(of Algorithm, sum []byte) *string {
	if a != of {
		return nil
	}
	return aws.String(base64.StdEncoding.EncodeToString(sum))
}

// Composite is the ETag, or the checksum, of a multipart object whose parts have these checksums.
func (a Algorithm) Composite(parts []remote.UploadPart) string {
	h := a.new()
	for i := range parts {
		h.Write(parts[i].Checksum)
	}
	if a == CRC32C {
		return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts))
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// ETagMD5 returns the MD5 that an ETag is, or nil: that of a multipart object is something else.
func (c *Client) ETagMD5(etag *string) []byte {
	sum, err := hex.DecodeString(PlainETag(aws.ToString(etag)))
	if err != nil || len(sum) != md5.Size || c.opt.ETagIsNotMD5 {
		return nil
	}
	return sum
}

// keyedMD5 is ETagMD5 of an object that is stored with an encryption: with keys of its own the ETag is something else.
func (c *Client) keyedMD5(etag *string, sse types.ServerSideEncryption) []byte {
	if sse != "" && sse != types.ServerSideEncryptionAes256 {
		return nil
	}
	return c.ETagMD5(etag)
}

// PlainETag is an ETag without the quotes that some servers write.
func PlainETag(etag string) string { return strings.ToLower(strings.Trim(etag, `"`)) }
