package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/ncw/swift/v2"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Metadata of rclone's.
const (
	metaMtime = "mtime"     // seconds since the epoch, with a fraction
	metaMD5   = "md5chksum" // base64; where the ETag is no MD5
)

// Send implements remote.Connection.
func (c *connection) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	o := c.newObject(path, &e)
	var err error
	if e.Size >= max(1, int64(c.opt.UploadCutoff)) {
		err = c.sendParts(ctx, o, src)
	} else if err = c.forget(ctx, path); err == nil {
		err = c.sendWhole(ctx, o, src)
	}
	if err != nil {
		return fmt.Errorf("send %q: %w", path, classify(ctx, err))
	}
	return nil
}

// object is what is being sent: everything about it but its content.
type object struct {
	path        string
	key         string
	entry       *snapshot.Entry
	contentType string
	metadata    map[string]string
}

func (c *connection) newObject(path string, e *snapshot.Entry) *object {
	key := c.at.key(path, e.Kind)
	return &object{
		path: path, key: key, entry: e, contentType: mimeType(rclone.RemoteName(path, e.Kind)),
		metadata: map[string]string{metaMtime: mtimeText(e.ModTime())},
	}
}

func mtimeText(t time.Time) string { return swift.TimeToFloatString(t) }

func (o *object) setMD5(sum []byte) { o.metadata[metaMD5] = base64.StdEncoding.EncodeToString(sum) }

// sendWhole reads the file into memory, so that a source that fails has no effect and the checksum goes
// ahead of the content, and sends it in one request. The server shows the object once it has all of it.
func (c *connection) sendWhole(ctx context.Context, o *object, src remote.Source) error {
	buf, err := c.budget.get(ctx, o.entry.Size)
	if err != nil {
		return err
	}
	defer buf.free()
	if err := read(ctx, src, buf); err != nil {
		return err
	}
	verdict := c.crc.verdict()
	var sum, crc []byte
	if verdict != no {
		crc = crc32c.sum(buf)
	}
	keepMD5 := c.opt.etagIsNotMD5 && !c.opt.DisableChecksum
	if verdict != yes || keepMD5 {
		sum = md5Sum.sum(buf)
	}
	if keepMD5 {
		o.setMD5(sum)
	}
	return c.inBucket(ctx, &c.at, func() error { return c.put(ctx, o, buf, sum, crc) })
}

// read fills buf with the source's content.
func read(ctx context.Context, src remote.Source, buf *buffer) error {
	in, err := src.Open()
	if err != nil {
		return err
	}
	return errors.Join(buf.fill(ctx, in), in.Close())
}

// put sends buf in one request. Either checksum may be nil.
func (c *connection) put(ctx context.Context, o *object, buf *buffer, sum, crc []byte) error {
	req := &s3.PutObjectInput{
		Bucket: &c.at.bucket, Key: &o.key, ContentLength: &buf.size,
		ContentType: &o.contentType, Metadata: o.metadata,
		ACL: types.ObjectCannedACL(c.opt.ACL), StorageClass: types.StorageClass(c.opt.StorageClass),
		RequestPayer: c.payer(), ServerSideEncryption: types.ServerSideEncryption(c.opt.ServerSideEncryption),
		SSEKMSKeyId:          notEmpty(c.opt.SSEKMSKeyID),
		SSECustomerAlgorithm: notEmpty(c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(c.opt.SSECustomerKeyMD5),
	}
	if sum != nil {
		req.ContentMD5 = aws.String(base64.StdEncoding.EncodeToString(sum))
	}
	if crc != nil {
		req.ChecksumCRC32C = aws.String(base64.StdEncoding.EncodeToString(crc))
	}
	out, err := c.putObject(ctx, req, buf)
	if err != nil {
		return err
	}
	if crc != nil {
		c.crc.learn(aws.ToString(out.ChecksumCRC32C) == *req.ChecksumCRC32C)
	}
	if got := etagMD5(aws.ToString(out.ETag)); sum != nil && got != nil && !c.opt.etagIsNotMD5 && !bytes.Equal(got, sum) {
		return fmt.Errorf("%w: the content arrived damaged: md5 is %x instead of %x", remote.ErrTemporary, got, sum)
	}
	return nil
}

func (c *connection) payer() types.RequestPayer {
	if c.opt.RequesterPays {
		return types.RequestPayerRequester
	}
	return ""
}

// contentMD5 reads the file once more than is needed, for rclone's sake.
func contentMD5(ctx context.Context, src remote.Source) (sum []byte, err error) {
	in, err := src.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	h := md5Sum.new()
	buf := make([]byte, smallBuffer)
	for {
		n, err := in.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return h.Sum(nil), nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
	}
}
