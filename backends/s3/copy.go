package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Copy implements remote.Connection. The copy has the metadata of the original, but for the mtime.
func (c *connection) Copy(ctx context.Context, from, path string, e snapshot.Entry) error {
	err := c.forget(ctx, path)
	var f *found
	if err == nil {
		f, err = c.find(ctx, from)
	}
	if err == nil {
		err = c.duplicate(ctx, path, f, &c.at, c.at.key(path, e.Kind), e.ModTime())
	}
	if err != nil {
		return fmt.Errorf("copy %q to %q: %w", from, path, classify(ctx, err))
	}
	return nil
}

// Touch implements remote.Connection: the object is copied onto itself, which is how S3 changes metadata.
func (c *connection) Touch(ctx context.Context, path string, e snapshot.Entry) error {
	f, err := c.find(ctx, path)
	if err == nil && metadata(f.head.Metadata, metaMtime) != mtimeText(e.ModTime()) {
		err = c.duplicate(ctx, path, f, &c.at, f.key, e.ModTime())
	}
	if err != nil {
		return fmt.Errorf("set mtime of %q: %w", path, classify(ctx, err))
	}
	return nil
}

// Backup implements remote.Connection. A crash between the copy and the removal leaves both, and the
// next Backup of the path copies once more.
func (c *connection) Backup(ctx context.Context, path string) error {
	f, err := c.find(ctx, path)
	if errors.Is(err, remote.ErrNotFound) {
		return nil
	}
	if err == nil {
		name := c.backup.Name(rclone.RemoteName(path, f.kind))
		err = c.inBucket(ctx, &c.backupAt, func() error {
			return c.duplicate(ctx, path, f, &c.backupAt, c.backupAt.keyOf(name), mtimeOf(f.head))
		})
	}
	if err == nil {
		err = c.deleteKey(ctx, f.key)
	}
	if err != nil {
		return fmt.Errorf("back up %q: %w", path, classify(ctx, err))
	}
	return nil
}

// duplicate copies an object of c.at to key, with everything that is known of it and with this mtime. It
// is path that is being worked on.
func (c *connection) duplicate(ctx context.Context, path string, f *found, to *location, key string, mtime time.Time) error {
	req := c.copyRequest(f, to, key)
	req.Metadata[metaMtime] = mtimeText(mtime)
	if aws.ToInt64(f.head.ContentLength) >= int64(c.opt.CopyCutoff) {
		return c.copyLarge(ctx, path, req, aws.ToInt64(f.head.ContentLength))
	}
	_, err := c.patient.CopyObject(ctx, req)
	return gone(err)
}

// gone recognises that the origin of a copy vanished after it was seen.
func gone(err error) error {
	if code(err) == "NoSuchKey" {
		return fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return err
}

func (c *connection) copyRequest(f *found, to *location, key string) *s3.CopyObjectInput {
	head := f.head
	class := c.opt.StorageClass
	if class == "" {
		class = string(head.StorageClass)
	}
	meta := make(map[string]string, len(head.Metadata)+1)
	for k, v := range head.Metadata {
		meta[strings.ToLower(k)] = v
	}
	return &s3.CopyObjectInput{
		Bucket: &to.bucket, Key: &key, CopySource: aws.String(escape(c.at.bucket + "/" + f.key)),
		MetadataDirective: types.MetadataDirectiveReplace, Metadata: meta,
		ContentType: head.ContentType, CacheControl: head.CacheControl, ContentDisposition: head.ContentDisposition,
		ContentLanguage: head.ContentLanguage, ContentEncoding: head.ContentEncoding,
		ACL: types.ObjectCannedACL(c.opt.ACL), StorageClass: types.StorageClass(class),
		RequestPayer: c.payer(), ServerSideEncryption: types.ServerSideEncryption(c.opt.ServerSideEncryption),
		SSEKMSKeyId:                    notEmpty(c.opt.SSEKMSKeyID),
		SSECustomerAlgorithm:           notEmpty(c.opt.SSECustomerAlgorithm),
		SSECustomerKey:                 notEmpty(c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:              notEmpty(c.opt.SSECustomerKeyMD5),
		CopySourceSSECustomerAlgorithm: notEmpty(c.opt.SSECustomerAlgorithm),
		CopySourceSSECustomerKey:       notEmpty(c.opt.SSECustomerKeyBase64),
		CopySourceSSECustomerKeyMD5:    notEmpty(c.opt.SSECustomerKeyMD5),
	}
}

// copyLarge copies what is too large for one request. Nothing travels, so a failure starts anew: but what
// a crash leaves is remembered like an upload, and aborted like one.
func (c *connection) copyLarge(ctx context.Context, path string, r *s3.CopyObjectInput, size int64) error {
	if err := c.forget(ctx, path); err != nil {
		return err
	}
	t := &ticket{where: c.where, bucket: *r.Bucket, key: *r.Key}
	if err := c.rememberCopy(path, t, size); err != nil {
		return err
	}
	out, err := c.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: r.Bucket, Key: r.Key, Metadata: r.Metadata,
		ContentType: r.ContentType, CacheControl: r.CacheControl, ContentDisposition: r.ContentDisposition,
		ContentLanguage: r.ContentLanguage, ContentEncoding: r.ContentEncoding,
		ACL: r.ACL, StorageClass: r.StorageClass, RequestPayer: r.RequestPayer,
		ServerSideEncryption: r.ServerSideEncryption, SSEKMSKeyId: r.SSEKMSKeyId,
		SSECustomerAlgorithm: r.SSECustomerAlgorithm, SSECustomerKey: r.SSECustomerKey, SSECustomerKeyMD5: r.SSECustomerKeyMD5,
	})
	if err != nil {
		return err
	}
	t.id = aws.ToString(out.UploadId)
	if err = c.rememberCopy(path, t, size); err == nil {
		err = c.copyParts(ctx, t, r, size)
	}
	if err != nil {
		u := &upload{c: c, ticket: *t, o: &object{path: path}}
		return errors.Join(err, u.abandon(ctx))
	}
	return c.resumeLog.end(path)
}

func (c *connection) rememberCopy(path string, t *ticket, size int64) error {
	r := &remote.Upload{Path: path, Source: snapshot.Entry{Kind: snapshot.File, Size: size}, Began: time.Now()}
	t.write(r)
	return c.resumeLog.begin(r)
}

// copyParts lets the server copy the pieces, several at a time, and makes the object of them.
func (c *connection) copyParts(ctx context.Context, t *ticket, r *s3.CopyObjectInput, size int64) error {
	piece := max(int64(c.opt.CopyCutoff), (size+maxParts-1)/maxParts)
	parts := make([]types.CompletedPart, (size+piece-1)/piece)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(c.opt.UploadConcurrency)
	for i := range parts {
		group.Go(func() error {
			number, first := int32(i+1), int64(i)*piece
			last := min(first+piece, size) - 1
			part, err := c.patient.UploadPartCopy(gctx, &s3.UploadPartCopyInput{
				Bucket: r.Bucket, Key: r.Key, UploadId: &t.id, PartNumber: &number,
				CopySource: r.CopySource, CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
				RequestPayer: r.RequestPayer, SSECustomerAlgorithm: r.SSECustomerAlgorithm,
				SSECustomerKey: r.SSECustomerKey, SSECustomerKeyMD5: r.SSECustomerKeyMD5,
				CopySourceSSECustomerAlgorithm: r.CopySourceSSECustomerAlgorithm,
				CopySourceSSECustomerKey:       r.CopySourceSSECustomerKey,
				CopySourceSSECustomerKeyMD5:    r.CopySourceSSECustomerKeyMD5,
			})
			if err != nil {
				return gone(err)
			}
			parts[i] = types.CompletedPart{PartNumber: &number, ETag: part.CopyPartResult.ETag}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err := c.patient.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: r.Bucket, Key: r.Key, UploadId: &t.id, RequestPayer: r.RequestPayer,
		MultipartUpload:      &types.CompletedMultipartUpload{Parts: parts},
		SSECustomerAlgorithm: r.SSECustomerAlgorithm, SSECustomerKey: r.SSECustomerKey, SSECustomerKeyMD5: r.SSECustomerKeyMD5,
	})
	return err
}
