package client

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// Copy is a copy of an object with its metadata, but for the mtime.
type Copy struct {
	To   options.Address
	Size int64

	c   *Client
	req *s3.CopyObjectInput
	md5 []byte // that of the origin; nil: unknown
}

// NewCopy prepares a copy of the object at from; head is what Head said of it.
func NewCopy(c *Client, from options.Address, head *s3.HeadObjectOutput, to options.Address, mtime time.Time) *Copy {
	class := types.StorageClass(c.opt.StorageClass)
	if class == "" {
		class = head.StorageClass
	}
	meta := make(map[string]string, len(head.Metadata)+1)
	for k, v := range head.Metadata {
		meta[strings.ToLower(k)] = v
	}
	meta[MetaMtime] = MtimeText(mtime)
	sse := &c.opt.Encryption
	p := &Copy{To: to, c: c, Size: aws.ToInt64(head.ContentLength), md5: c.keyedMD5(head.ETag, head.ServerSideEncryption)}
	p.req = &s3.CopyObjectInput{
		Bucket: &to.Bucket, Key: &to.Key, CopySource: aws.String(escape(from.Bucket + "/" + from.Key)),
		CopySourceIfMatch: head.ETag, // what somebody else writes after Head is not copied
		MetadataDirective: types.MetadataDirectiveReplace, Metadata: meta,
		ContentType: head.ContentType, CacheControl: head.CacheControl, ContentDisposition: head.ContentDisposition,
		ContentLanguage: head.ContentLanguage, ContentEncoding: head.ContentEncoding,
		ACL: types.ObjectCannedACL(c.opt.ACL), StorageClass: class,
		RequestPayer: c.opt.Payer, ServerSideEncryption: types.ServerSideEncryption(c.opt.ServerSideEncryption),
		SSEKMSKeyId:          c.opt.KMSKey,
		SSECustomerAlgorithm: sse.Algorithm, SSECustomerKey: sse.Key, SSECustomerKeyMD5: sse.KeyMD5,
		CopySourceSSECustomerAlgorithm: sse.Algorithm, CopySourceSSECustomerKey: sse.Key, CopySourceSSECustomerKeyMD5: sse.KeyMD5,
	}
	return p
}

// InParts reports that the object is too large for one request.
func (p *Copy) InParts() bool { return p.Size >= int64(p.c.opt.CopyCutoff) }

// Whole copies in one request.
func (p *Copy) Whole(ctx context.Context) error {
	out, err := p.c.patient.CopyObject(ctx, p.req)
	if err != nil {
		return gone(err)
	}
	var etag *string
	if out.CopyObjectResult != nil {
		etag = out.CopyObjectResult.ETag
	}
	return p.prove(ctx, etag, out.ServerSideEncryption)
}

// prove makes sure that the copy is there, and has the content of the origin, from the ETag that the server tells of it. If
// it tells none, the copy is looked at.
func (p *Copy) prove(ctx context.Context, etag *string, sse types.ServerSideEncryption) error {
	if aws.ToString(etag) == "" {
		head, err := p.c.Prove(ctx, p.To, p.Size, p.req.Metadata[MetaMtime])
		if err != nil {
			return err
		}
		etag, sse = head.ETag, head.ServerSideEncryption
	}
	if got := p.c.keyedMD5(etag, sse); got != nil && p.md5 != nil && !bytes.Equal(got, p.md5) {
		return fmt.Errorf("%w: the copy is damaged: md5 is %x instead of %x", remote.ErrTemporary, got, p.md5)
	}
	return nil
}

// gone gives an error its class if the origin of a copy has vanished, or was replaced, after Head saw it.
func gone(err error) error {
	if code(err) == "NoSuchKey" || status(err) == http.StatusPreconditionFailed {
		return fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return err
}

// Create begins a copy in parts.
func (p *Copy) Create(ctx context.Context) (id string, err error) {
	r := p.req
	out, err := p.c.sdk.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: r.Bucket, Key: r.Key, Metadata: r.Metadata,
		ContentType: r.ContentType, CacheControl: r.CacheControl, ContentDisposition: r.ContentDisposition,
		ContentLanguage: r.ContentLanguage, ContentEncoding: r.ContentEncoding,
		ACL: r.ACL, StorageClass: r.StorageClass, RequestPayer: r.RequestPayer,
		ServerSideEncryption: r.ServerSideEncryption, SSEKMSKeyId: r.SSEKMSKeyId,
		SSECustomerAlgorithm: r.SSECustomerAlgorithm, SSECustomerKey: r.SSECustomerKey, SSECustomerKeyMD5: r.SSECustomerKeyMD5,
	})
	if err != nil {
		return "", err
	}
	return begun(out, *r.Key)
}

// Parts copies the pieces, several at a time, and makes the object of them.
func (p *Copy) Parts(ctx context.Context, id string) error {
	r, size := p.req, p.Size
	piece := max(int64(p.c.opt.CopyCutoff), (size+options.MaxParts-1)/options.MaxParts)
	parts := make([]types.CompletedPart, (size+piece-1)/piece)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(p.c.opt.UploadConcurrency)
	for i := range parts {
		group.Go(func() error {
			number, first := int32(i+1), int64(i)*piece
			last := min(first+piece, size) - 1
			part, err := p.c.patient.UploadPartCopy(gctx, &s3.UploadPartCopyInput{
				Bucket: r.Bucket, Key: r.Key, UploadId: &id, PartNumber: &number,
				CopySource: r.CopySource, CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
				CopySourceIfMatch: r.CopySourceIfMatch,
				RequestPayer:      r.RequestPayer, SSECustomerAlgorithm: r.SSECustomerAlgorithm,
				SSECustomerKey: r.SSECustomerKey, SSECustomerKeyMD5: r.SSECustomerKeyMD5,
				CopySourceSSECustomerAlgorithm: r.CopySourceSSECustomerAlgorithm,
				CopySourceSSECustomerKey:       r.CopySourceSSECustomerKey,
				CopySourceSSECustomerKeyMD5:    r.CopySourceSSECustomerKeyMD5,
			})
			if err != nil {
				return gone(err)
			}
			var etag *string
			if part.CopyPartResult != nil {
				etag = part.CopyPartResult.ETag
			}
			u := &Upload{Address: p.To, ID: id}
			parts[i] = types.CompletedPart{PartNumber: &number}
			parts[i].ETag, err = p.c.partETag(gctx, u, int(number), last+1-first, etag)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	out, err := p.c.patient.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: r.Bucket, Key: r.Key, UploadId: &id, RequestPayer: r.RequestPayer,
		MultipartUpload:      &types.CompletedMultipartUpload{Parts: parts},
		SSECustomerAlgorithm: r.SSECustomerAlgorithm, SSECustomerKey: r.SSECustomerKey, SSECustomerKeyMD5: r.SSECustomerKeyMD5,
	})
	if err != nil || names(out.Key, *r.Key) && aws.ToString(out.ETag) != "" {
		return err
	}
	_, err = p.c.Prove(ctx, p.To, size, r.Metadata[MetaMtime])
	return err
}

// escape writes a key as x-amz-copy-source and addresses have it.
func escape(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
