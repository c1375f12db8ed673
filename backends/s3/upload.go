package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/engine/remote"
)

// upload is one multipart upload under way: new, or gone on with.
type upload struct {
	ticket

	c        *connection
	o        *object
	partSize int64
	began    time.Time
	kept     map[int]remote.UploadPart // parts that the server has
	parts    []remote.UploadPart       // all, by number - 1; each is written by one goroutine
	whole    bool                      // the object is complete: all that is left is to read the source
	notes    errgroup.Group            // what is being remembered: no request waits for a disk
}

// sendParts sends a large file, or what the server lacks of it.
func (c *connection) sendParts(ctx context.Context, o *object, src remote.Source) error {
	if c.opt.wantsMD5 {
		sum, err := contentMD5(ctx, src)
		if err != nil {
			return err
		}
		o.setMD5(sum)
	}
	u, err := c.resume(ctx, o)
	if err == nil && u == nil {
		u, err = c.create(ctx, o)
	}
	if err != nil {
		return err
	}
	if err = u.transfer(ctx, src); err == nil {
		err = u.complete(ctx)
	}
	if err != nil {
		return errors.Join(err, u.giveUp(ctx, err))
	}
	// A crash before this leaves an upload remembered that is complete: Cleanup, or the next Send, sees it.
	return c.resumeLog.end(o.path)
}

// errDiffers means that an object which was completed before is not what the file is now.
var errDiffers = fmt.Errorf("%w: what was sent before differs from the file", remote.ErrTemporary)

// giveUp aborts an upload that failed if there is nobody to remember it, or if the server has refused
// what would be asked of it once more. One that is gone is forgotten: the next Send begins anew.
func (u *upload) giveUp(ctx context.Context, why error) error {
	if noSuchUpload(why) || errors.Is(why, errDiffers) {
		return u.c.resumeLog.end(u.o.path)
	}
	if u.c.resumeLog.Uploads != nil && !hopeless(why) {
		return nil
	}
	return u.abandon(ctx)
}

// abandon aborts an upload, whatever became of the call that it belongs to, and forgets it.
func (u *upload) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	if err := u.c.abort(ctx, &u.ticket); err != nil {
		u.c.log.Warn("cannot abort an upload that failed", "path", u.o.path, "err", err)
		return nil // it is remembered still
	}
	return u.c.resumeLog.end(u.o.path)
}

// giveUpTimeout bounds giveUp: the error of the upload is waited for.
const giveUpTimeout = 5 * time.Second

// newUpload is what would be created for o today, without an id.
func (c *connection) newUpload(o *object) *upload {
	size := o.entry.Size
	u := &upload{c: c, o: o, partSize: c.opt.partSize(size), began: time.Now()}
	u.ticket = ticket{where: c.where, digest: c.digest(o), bucket: c.at.bucket, key: o.key}
	u.parts = make([]remote.UploadPart, (size+u.partSize-1)/u.partSize)
	return u
}

// digest covers what is fixed when an upload is created: another configuration needs another upload.
func (c *connection) digest(o *object) string {
	text, err := json.Marshal([]any{o.contentType, o.metadata, c.opt.ACL, c.opt.StorageClass, c.opt.ServerSideEncryption,
		c.opt.SSEKMSKeyID, c.opt.SSECustomerAlgorithm, c.opt.SSECustomerKeyMD5})
	if err != nil {
		panic(fmt.Sprintf("s3: encode strings: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// resume returns the upload that is remembered of o's path if it can be gone on with, else nil, after
// what is there of it was aborted.
func (c *connection) resume(ctx context.Context, o *object) (*upload, error) {
	was, err := c.resumeLog.recall(o.path)
	if err != nil || was == nil {
		return nil, err
	}
	u := c.newUpload(o)
	t, ours := parse(was)
	u.sum, u.id, u.began = t.sum, t.id, was.Began
	if !ours || u.ticket != t || t.id == "" || was.PartSize != u.partSize || !was.Source.SameStat(o.entry) {
		c.log.Debug("starting an upload anew", "path", o.path, "began", was.Began)
		return nil, c.abandon(ctx, was)
	}
	there, err := c.listParts(ctx, &t)
	switch {
	case noSuchUpload(err) && u.isComplete(ctx, was.Parts):
		u.whole, there = true, was.Parts
	case noSuchUpload(err) || noSuchBucket(err):
		c.log.Info("an unfinished upload is gone, starting anew", "path", o.path)
		return nil, c.resumeLog.end(o.path)
	case err != nil:
		return nil, err
	}
	u.keep(there, was.Parts)
	c.log.Info("going on with an upload", "path", o.path, "parts", len(u.kept), "of", len(u.parts))
	return u, nil
}

// keep decides which parts need not be sent again: those that are there as they are remembered, and
// those that arrived, but whose answer nobody lived to see, if the server tells their checksum.
func (u *upload) keep(there, remembered []remote.UploadPart) {
	known := make(map[int]remote.UploadPart, len(remembered))
	for _, p := range remembered {
		known[p.Number] = p
	}
	u.kept = make(map[int]remote.UploadPart, len(there))
	for _, p := range there {
		was, ok := known[p.Number]
		switch {
		case p.Number < 1 || p.Number > len(u.parts) || p.Size != u.sizeOf(p.Number):
		case ok && plainETag(was.ETag) == plainETag(p.ETag):
			u.kept[p.Number] = was
		case !ok && p.Checksum != nil:
			u.kept[p.Number] = p
		}
	}
}

func (u *upload) sizeOf(number int) int64 {
	return min(u.partSize, u.o.entry.Size-int64(number-1)*u.partSize)
}

// listParts returns what the server has of an upload, with the checksums that it tells.
func (c *connection) listParts(ctx context.Context, t *ticket) ([]remote.UploadPart, error) {
	req := &s3.ListPartsInput{
		Bucket: &t.bucket, Key: &t.key, UploadId: &t.id, RequestPayer: c.payer(),
		SSECustomerAlgorithm: notEmpty(c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(c.opt.SSECustomerKeyMD5),
	}
	var all []remote.UploadPart
	for {
		out, err := c.client.ListParts(ctx, req)
		if err != nil {
			return nil, err
		}
		for i := range out.Parts {
			all = append(all, c.describe(&out.Parts[i], t.sum))
		}
		if !aws.ToBool(out.IsTruncated) {
			return all, nil
		}
		req.PartNumberMarker = out.NextPartNumberMarker
	}
}

func (c *connection) describe(p *types.Part, sum algorithm) remote.UploadPart {
	part := remote.UploadPart{Number: int(aws.ToInt32(p.PartNumber)), Size: aws.ToInt64(p.Size), ETag: aws.ToString(p.ETag)}
	if crc, err := base64.StdEncoding.DecodeString(aws.ToString(p.ChecksumCRC32C)); sum == crc32c && err == nil && len(crc) > 0 {
		part.Checksum = crc
	}
	if sum == md5Sum && !c.opt.etagIsNotMD5 {
		part.Checksum = etagMD5(part.ETag)
	}
	return part
}

// create begins an upload. A crash after the request and before its id is remembered leaves the intent,
// with which the next Send of the path, or Cleanup, finds it.
func (c *connection) create(ctx context.Context, o *object) (*upload, error) {
	u := c.newUpload(o)
	if err := u.remember(); err != nil {
		return nil, err
	}
	req := &s3.CreateMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, ContentType: &o.contentType, Metadata: o.metadata,
		ACL: types.ObjectCannedACL(c.opt.ACL), StorageClass: types.StorageClass(c.opt.StorageClass),
		RequestPayer: c.payer(), ServerSideEncryption: types.ServerSideEncryption(c.opt.ServerSideEncryption),
		SSEKMSKeyId:          notEmpty(c.opt.SSEKMSKeyID),
		SSECustomerAlgorithm: notEmpty(c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(c.opt.SSECustomerKeyMD5),
	}
	if c.crc.verdict() != no {
		req.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32c
	}
	var out *s3.CreateMultipartUploadOutput
	err := c.inBucket(ctx, &c.at, func() (err error) { out, err = c.client.CreateMultipartUpload(ctx, req); return err })
	if err != nil {
		return nil, fmt.Errorf("create upload: %w", err)
	}
	u.id, u.sum = aws.ToString(out.UploadId), md5Sum
	if out.ChecksumAlgorithm == types.ChecksumAlgorithmCrc32c {
		u.sum = crc32c
	}
	return u, u.remember()
}

// remember writes down the upload, or, without an id, the intent.
func (u *upload) remember() error {
	r := &remote.Upload{Path: u.o.path, PartSize: u.partSize, Source: *u.o.entry, Began: u.began}
	u.write(r)
	return u.c.resumeLog.begin(r)
}

// transfer reads the source once, and sends the parts that are not kept.
func (u *upload) transfer(ctx context.Context, src remote.Source) (err error) {
	in, err := src.Open()
	if err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(u.c.opt.UploadConcurrency)
	readErr := u.read(gctx, in, group)
	if readErr != nil && gctx.Err() == nil {
		// What is on its way may arrive, and is then kept: but not for a source that has changed.
		group.Go(func() error { return readErr })
	}
	err = group.Wait()
	if err == nil {
		err = readErr
	}
	return errors.Join(err, u.notes.Wait(), in.Close())
}

// read hands each part to a goroutine of group, as soon as there is memory for it.
func (u *upload) read(ctx context.Context, in io.Reader, group *errgroup.Group) error {
	for number := 1; number <= len(u.parts); number++ {
		buf, err := u.c.budget.get(ctx, u.sizeOf(number))
		if err != nil {
			return err
		}
		if err := buf.fill(ctx, in); err != nil {
			buf.free()
			return err
		}
		group.Go(func() error {
			defer buf.free()
			return u.part(ctx, number, buf)
		})
	}
	return nil
}

// part makes sure that the server has a part.
func (u *upload) part(ctx context.Context, number int, buf *buffer) error {
	sum := u.sum.sum(buf)
	if kept, ok := u.kept[number]; ok && bytes.Equal(kept.Checksum, sum) {
		u.parts[number-1] = kept
		return nil
	}
	if u.whole {
		return errDiffers
	}
	n := int32(number)
	req := &s3.UploadPartInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &n,
		ContentLength: &buf.size, RequestPayer: u.c.payer(),
		ContentMD5: u.sum.header(md5Sum, sum), ChecksumCRC32C: u.sum.header(crc32c, sum),
		SSECustomerAlgorithm: notEmpty(u.c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(u.c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(u.c.opt.SSECustomerKeyMD5),
	}
	var out *s3.UploadPartOutput
	err := whileCrowded(ctx, func() (err error) {
		req.Body = buf.body()
		out, err = u.c.client.UploadPart(ctx, req, u.c.unsigned)
		return err
	})
	if err != nil {
		return fmt.Errorf("part %d: %w", number, err)
	}
	p := remote.UploadPart{Number: number, Size: buf.size, ETag: aws.ToString(out.ETag), Checksum: sum}
	u.parts[number-1] = p
	// A crash before it is remembered: keep finds the part by its checksum.
	u.notes.Go(func() error { return u.c.resumeLog.addPart(u.o.path, p) })
	return nil
}

// complete makes the object of its parts.
func (u *upload) complete(ctx context.Context) error {
	if u.whole {
		return nil
	}
	req := &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket, Key: &u.key, UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{},
		RequestPayer:         u.c.payer(),
		SSECustomerAlgorithm: notEmpty(u.c.opt.SSECustomerAlgorithm),
		SSECustomerKey:       notEmpty(u.c.opt.SSECustomerKeyBase64),
		SSECustomerKeyMD5:    notEmpty(u.c.opt.SSECustomerKeyMD5),
	}
	for i := range u.parts {
		p := &u.parts[i]
		req.MultipartUpload.Parts = append(req.MultipartUpload.Parts, types.CompletedPart{
			PartNumber: aws.Int32(int32(p.Number)), ETag: &p.ETag, ChecksumCRC32C: u.sum.header(crc32c, p.Checksum),
		})
	}
	var out *s3.CompleteMultipartUploadOutput
	err := whileCrowded(ctx, func() (err error) { out, err = u.c.patient.CompleteMultipartUpload(ctx, req); return err })
	switch {
	case noSuchUpload(err) && u.isComplete(ctx, u.parts):
		return nil // the answer to an earlier attempt was lost
	case err != nil:
		return fmt.Errorf("complete upload: %w", err)
	}
	if !u.matches(aws.ToString(out.ETag), aws.ToString(out.ChecksumCRC32C)) {
		return fmt.Errorf("%w: the content arrived damaged: ETag %s", remote.ErrTemporary, aws.ToString(out.ETag))
	}
	return nil
}

// composite is what the server should say of the object, as its checksum or its ETag.
func (u *upload) composite() string {
	sums := make([][]byte, len(u.parts))
	for i := range u.parts {
		sums[i] = u.parts[i].Checksum
	}
	return u.sum.composite(sums)
}

// matches compares what the server says of the object with what its parts were; true if it says nothing.
func (u *upload) matches(etag, crc string) bool {
	want := u.composite()
	switch {
	case u.sum == crc32c:
		return crc == "" || crc == want
	case u.c.opt.etagIsNotMD5 || !u.c.opt.UseMultipartEtag.Value || etag == "":
		return true
	}
	return plainETag(etag) == want
}

// isComplete reports that the object is there, and made of these parts: an upload that is gone was
// completed, by an attempt whose answer never came. If it cannot be found out, it is sent again.
func (u *upload) isComplete(ctx context.Context, parts []remote.UploadPart) bool {
	if len(parts) != len(u.parts) {
		return false
	}
	copy(u.parts, parts)
	req := u.c.headRequest(&u.c.at, u.key)
	req.ChecksumMode = types.ChecksumModeEnabled
	head, err := u.c.client.HeadObject(ctx, req)
	if err != nil || aws.ToInt64(head.ContentLength) != u.o.entry.Size ||
		metadata(head.Metadata, metaMtime) != u.o.metadata[metaMtime] {
		return false
	}
	etag, crc := aws.ToString(head.ETag), aws.ToString(head.ChecksumCRC32C)
	if want := u.composite(); plainETag(etag) == want || crc == want {
		return true
	}
	return u.matches(etag, crc) && !aws.ToTime(head.LastModified).Before(u.began.Add(-skew))
}
