package client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// Upload is a multipart upload as the server knows it.
type Upload struct {
	options.Address
	ID  string
	Sum Algorithm // of its parts
}

// Digest covers what is fixed when an upload is created: with another digest another upload is needed.
func (c *Client) Digest(o *Object) string {
	text, err := json.Marshal([]any{o.ContentType, o.Metadata, c.opt.ACL, c.opt.StorageClass, c.opt.ServerSideEncryption,
		c.opt.SSEKMSKeyID, c.opt.SSECustomerAlgorithm, c.opt.SSECustomerKeyMD5})
	if err != nil {
		panic(fmt.Sprintf("s3: encode strings: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Create begins an upload.
func (c *Client) Create(ctx context.Context, o *Object) (*Upload, error) {
	req := &s3.CreateMultipartUploadInput{
		Bucket: &o.Bucket, Key: &o.Key, ContentType: &o.ContentType, Metadata: o.Metadata,
		ACL: types.ObjectCannedACL(c.opt.ACL), StorageClass: types.StorageClass(c.opt.StorageClass),
		RequestPayer: c.opt.Payer, ServerSideEncryption: types.ServerSideEncryption(c.opt.ServerSideEncryption),
		SSEKMSKeyId:          c.opt.KMSKey,
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
	}
	if options.Support(c.crc.Load()) != options.No {
		req.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32c
	}
	var out *s3.CreateMultipartUploadOutput
	err := c.InBucket(ctx, o.Bucket, func() (err error) { out, err = c.sdk.CreateMultipartUpload(ctx, req); return err })
	if err != nil {
		return nil, fmt.Errorf("create upload: %w", err)
	}
	id, err := begun(out, o.Key)
	if err != nil {
		return nil, err
	}
	u := &Upload{Address: o.Address, ID: id, Sum: MD5}
	if out.ChecksumAlgorithm == types.ChecksumAlgorithmCrc32c {
		u.Sum = CRC32C
	}
	return u, nil
}

// begun returns the id of an upload that a server says to have begun.
func begun(out *s3.CreateMultipartUploadOutput, key string) (id string, err error) {
	if id = aws.ToString(out.UploadId); id == "" || !names(out.Key, key) {
		return "", fmt.Errorf("create upload: %w", errSilent)
	}
	return id, nil
}

// SendPart sends one part with its checksum.
func (c *Client) SendPart(ctx context.Context, u *Upload, number int, buf *buffer.Buffer, sum []byte) (remote.UploadPart, error) {
	req := &s3.UploadPartInput{
		Bucket: &u.Bucket, Key: &u.Key, UploadId: &u.ID, PartNumber: aws.Int32(int32(number)),
		ContentLength: &buf.Size, RequestPayer: c.opt.Payer,
		ContentMD5: u.Sum.header(MD5, sum), ChecksumCRC32C: u.Sum.header(CRC32C, sum),
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
	}
	var out *s3.UploadPartOutput
	err := whileCrowded(ctx, func() (err error) {
		req.Body = buf.Body()
		out, err = c.sdk.UploadPart(ctx, req, c.unsigned)
		return err
	})
	if err != nil {
		return remote.UploadPart{}, fmt.Errorf("part %d: %w", number, err)
	}
	etag, err := c.partETag(ctx, u, number, buf.Size, out.ETag)
	if err != nil {
		return remote.UploadPart{}, fmt.Errorf("part %d: %w", number, err)
	}
	return remote.UploadPart{Number: number, Size: buf.Size, ETag: *etag, Checksum: sum}, nil
}

// partETag returns what the server told of a part, or what it lists.
func (c *Client) partETag(ctx context.Context, u *Upload, number int, size int64, told *string) (*string, error) {
	if aws.ToString(told) != "" {
		return told, nil
	}
	parts, err := c.Parts(ctx, u)
	for i := range parts {
		if p := &parts[i]; p.Number == number && p.Size == size && p.ETag != "" {
			return &p.ETag, nil
		}
	}
	if err == nil {
		err = errSilent
	}
	return nil, err
}

// Parts returns what the server has of an upload, and the checksums if it tells them.
func (c *Client) Parts(ctx context.Context, u *Upload) ([]remote.UploadPart, error) {
	req := &s3.ListPartsInput{
		Bucket: &u.Bucket, Key: &u.Key, UploadId: &u.ID, RequestPayer: c.opt.Payer,
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
	}
	var all []remote.UploadPart
	for {
		out, err := c.sdk.ListParts(ctx, req)
		if err != nil {
			return nil, err
		}
		for i := range out.Parts {
			all = append(all, c.describe(&out.Parts[i], u.Sum))
		}
		if !aws.ToBool(out.IsTruncated) {
			return all, nil
		}
		if next := aws.ToString(out.NextPartNumberMarker); next == "" || next == aws.ToString(req.PartNumberMarker) || len(all) > options.MaxParts {
			return nil, fmt.Errorf("%w: the server does not end its listing of parts", remote.ErrTemporary)
		}
		req.PartNumberMarker = out.NextPartNumberMarker
	}
}

func (c *Client) describe(p *types.Part, sum Algorithm) remote.UploadPart {
	part := remote.UploadPart{Number: int(aws.ToInt32(p.PartNumber)), Size: aws.ToInt64(p.Size), ETag: aws.ToString(p.ETag)}
	if crc, err := base64.StdEncoding.DecodeString(aws.ToString(p.ChecksumCRC32C)); sum == CRC32C && err == nil && len(crc) > 0 {
		part.Checksum = crc
	}
	if sum == MD5 {
		part.Checksum = c.ETagMD5(p.ETag)
	}
	return part
}

// Complete makes the object of its parts, and returns the ETag and the checksum that the server gives: none if it does not
// tell that it has made this object.
func (c *Client) Complete(ctx context.Context, u *Upload, parts []remote.UploadPart) (etag, crc string, err error) {
	req := &s3.CompleteMultipartUploadInput{
		Bucket: &u.Bucket, Key: &u.Key, UploadId: &u.ID, MultipartUpload: &types.CompletedMultipartUpload{},
		RequestPayer:         c.opt.Payer,
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
	}
	for i := range parts {
		p := &parts[i]
		req.MultipartUpload.Parts = append(req.MultipartUpload.Parts, types.CompletedPart{
			PartNumber: aws.Int32(int32(p.Number)), ETag: &p.ETag, ChecksumCRC32C: u.Sum.header(CRC32C, p.Checksum),
		})
	}
	var out *s3.CompleteMultipartUploadOutput
	err = whileCrowded(ctx, func() (err error) { out, err = c.patient.CompleteMultipartUpload(ctx, req); return err })
	if err != nil {
		return "", "", fmt.Errorf("complete upload: %w", err)
	}
	if !names(out.Key, u.Key) {
		return "", "", nil
	}
	return aws.ToString(out.ETag), aws.ToString(out.ChecksumCRC32C), nil
}

// Abort frees the parts of an upload. That it is forbidden is only a warning: who may write need not be allowed to abort.
func (c *Client) Abort(ctx context.Context, u *Upload) error {
	_, err := c.sdk.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.Bucket, Key: &u.Key, UploadId: &u.ID, RequestPayer: c.opt.Payer,
	})
	if status(err) == http.StatusNotFound {
		return nil
	}
	if err = Classify(ctx, err); errors.Is(err, remote.ErrPermission) {
		c.log.Warn("may not abort an unfinished upload: its parts stay, and cost, until the bucket's lifecycle removes them",
			"key", u.Key, "err", err)
		return nil
	}
	return err
}

// Skew is how far the server's clock may be behind ours.
const Skew = 15 * time.Minute

// AbortSince aborts the uploads of one key that were begun since: one may be ours, whose id never arrived.
func (c *Client) AbortSince(ctx context.Context, at options.Address, began time.Time) error {
	for u, err := range c.Uploads(ctx, at) {
		if NoSuchBucket(err) || refused(err) {
			return nil
		}
		if err = Classify(ctx, err); errors.Is(err, remote.ErrPermission) {
			return nil // who may not look cannot tidy up either
		}
		if err != nil {
			return err
		}
		if aws.ToString(u.Key) != at.Key || u.Initiated == nil || u.Initiated.Before(began.Add(-Skew)) {
			continue
		}
		c.log.Info("aborting an upload that an interrupted run left", "key", at.Key, "initiated", *u.Initiated)
		if err := c.Abort(ctx, &Upload{Address: at, ID: aws.ToString(u.UploadId)}); err != nil {
			return err
		}
	}
	return nil
}

// Uploads returns the unfinished uploads of keys that begin with at.Key. An error is the last element.
func (c *Client) Uploads(ctx context.Context, at options.Address) iter.Seq2[types.MultipartUpload, error] {
	return func(yield func(types.MultipartUpload, error) bool) {
		req := &s3.ListMultipartUploadsInput{Bucket: &at.Bucket, Prefix: &at.Key, RequestPayer: c.opt.Payer}
		seen := map[string]bool{}
		for {
			out, err := c.sdk.ListMultipartUploads(ctx, req)
			if err != nil {
				yield(types.MultipartUpload{}, err)
				return
			}
			for _, u := range out.Uploads {
				if !yield(u, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			key, id := aws.ToString(out.NextKeyMarker), aws.ToString(out.NextUploadIdMarker)
			if seen[key+"\x00"+id] {
				yield(types.MultipartUpload{}, fmt.Errorf("%w: the server repeats its listing of uploads", remote.ErrTemporary))
				return
			}
			seen[key+"\x00"+id] = true
			req.KeyMarker, req.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
		}
	}
}
