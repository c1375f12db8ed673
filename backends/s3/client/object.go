package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/ncw/swift/v2"

	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// Object is what is sent, without its content.
type Object struct {
	options.Address
	ContentType string
	Metadata    map[string]string
}

// Metadata of rclone's.
const (
	MetaMtime = "mtime"     // seconds since the epoch, with a fraction
	metaMD5   = "md5chksum" // base64; where the ETag is no MD5
)

// MtimeText is an mtime as metadata has it.
func MtimeText(t time.Time) string { return swift.TimeToFloatString(t) }

// SetMD5 makes the MD5 of the content part of the metadata.
func (o *Object) SetMD5(sum []byte) { o.Metadata[metaMD5] = base64.StdEncoding.EncodeToString(sum) }

// Mtime is what rclone takes for the mtime: without metadata, when the object was written.
func Mtime(head *s3.HeadObjectOutput) time.Time {
	if t, err := swift.FloatStringToTime(Metadata(head, MetaMtime)); err == nil {
		return t
	}
	return aws.ToTime(head.LastModified)
}

// MD5 is that of the content, or nil if the server does not tell.
func (c *Client) MD5(head *s3.HeadObjectOutput) []byte {
	if b, err := base64.StdEncoding.DecodeString(Metadata(head, metaMD5)); err == nil && len(b) == 16 {
		return b
	}
	return c.ETagMD5(head.ETag)
}

// Metadata looks a name up in any case: servers differ in how they write names.
func Metadata(head *s3.HeadObjectOutput, name string) string {
	for k, v := range head.Metadata {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// Head asks for everything about an object but its content.
func (c *Client) Head(ctx context.Context, at options.Address) (*s3.HeadObjectOutput, error) {
	return c.head(ctx, at, "")
}

// HeadSums is Head, and asks for the checksums as well.
func (c *Client) HeadSums(ctx context.Context, at options.Address) (*s3.HeadObjectOutput, error) {
	return c.head(ctx, at, types.ChecksumModeEnabled)
}

func (c *Client) head(ctx context.Context, at options.Address, sums types.ChecksumMode) (*s3.HeadObjectOutput, error) {
	return c.sdk.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, RequestPayer: c.opt.Payer, ChecksumMode: sums,
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
	})
}

// Get opens an object.
func (c *Client) Get(ctx context.Context, at options.Address) (*s3.GetObjectOutput, error) {
	return c.sdk.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, RequestPayer: c.opt.Payer,
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
	})
}

// Put sends an object in one request, the checksum ahead of the content. A server shows the object once it has all of
// it. Until the first answer tells whether CRC32C is verified, the MD5 is sent as well.
func (c *Client) Put(ctx context.Context, o *Object, buf *buffer.Buffer) error {
	verdict := options.Support(c.crc.Load())
	var sum, crc []byte
	if verdict != options.No {
		crc = CRC32C.Sum(buf)
	}
	keepMD5 := c.opt.ETagIsNotMD5 && !c.opt.DisableChecksum
	if verdict != options.Yes || keepMD5 {
		sum = MD5.Sum(buf)
	}
	if keepMD5 {
		o.SetMD5(sum)
	}
	return c.InBucket(ctx, o.Bucket, func() error { return c.put(ctx, o, buf, sum, crc) })
}

// put sends buf in one request. Either checksum may be nil.
func (c *Client) put(ctx context.Context, o *Object, buf *buffer.Buffer, sum, crc []byte) error {
	req := &s3.PutObjectInput{
		Bucket: &o.Bucket, Key: &o.Key, ContentLength: &buf.Size,
		ContentType: &o.ContentType, Metadata: o.Metadata,
		ACL: types.ObjectCannedACL(c.opt.ACL), StorageClass: types.StorageClass(c.opt.StorageClass),
		RequestPayer: c.opt.Payer, ServerSideEncryption: types.ServerSideEncryption(c.opt.ServerSideEncryption),
		SSEKMSKeyId:          c.opt.KMSKey,
		SSECustomerAlgorithm: c.opt.Encryption.Algorithm, SSECustomerKey: c.opt.Encryption.Key, SSECustomerKeyMD5: c.opt.Encryption.KeyMD5,
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
	verified := crc != nil && aws.ToString(out.ChecksumCRC32C) == *req.ChecksumCRC32C
	if crc != nil { // a server that verified it says so
		verifies := options.No
		if verified {
			verifies = options.Yes
		}
		c.crc.CompareAndSwap(int32(options.Unknown), int32(verifies))
	}
	if verified && sum == nil && aws.ToString(out.ETag) != "" {
		return nil
	}
	if sum == nil {
		sum = MD5.Sum(buf) // the answer lacks what earlier ones had
	}
	got := c.keyedMD5(out.ETag, out.ServerSideEncryption)
	if aws.ToString(out.ETag) == "" {
		head, err := c.Prove(ctx, o.Address, buf.Size, o.Metadata[MetaMtime])
		if err != nil {
			return err
		}
		got = c.keyedMD5(head.ETag, head.ServerSideEncryption)
	}
	if got != nil && !bytes.Equal(got, sum) {
		return fmt.Errorf("%w: the content arrived damaged: md5 is %x instead of %x", remote.ErrTemporary, got, sum)
	}
	return nil
}

// Prove looks for an object that a success has told too little of, and returns what is there.
func (c *Client) Prove(ctx context.Context, at options.Address, size int64, mtime string) (*s3.HeadObjectOutput, error) {
	head, err := c.HeadSums(ctx, at)
	switch {
	case NotThere(err):
		return nil, fmt.Errorf("%w: the server said that it has the object, and has none", remote.ErrTemporary)
	case err != nil:
		return nil, err
	case aws.ToInt64(head.ContentLength) != size || Metadata(head, MetaMtime) != mtime:
		return nil, fmt.Errorf("%w: the server said that it has the object, and has another one", remote.ErrTemporary)
	}
	return head, nil
}

// names reports whether an answer is about key, as far as it tells. Some servers quote it.
func names(said *string, key string) bool {
	if said == nil || *said == key {
		return true
	}
	plain, err := url.PathUnescape(*said)
	query, qerr := url.QueryUnescape(*said)
	return err == nil && plain == key || qerr == nil && query == key
}

// putObject makes the request directly, again while the server has no room for it, and through the SDK if that failed.
func (c *Client) putObject(ctx context.Context, req *s3.PutObjectInput, buf *buffer.Buffer) (*s3.PutObjectOutput, error) {
	w := c.direct
	direct := w != nil && w.doubts.Load() < maxDoubts
	for n := 1; direct; n++ {
		out, why := w.put(ctx, req, buf, c.opt.UseUnsignedPayload.Value)
		if out != nil {
			w.doubts.Store(0)
			return out, nil
		}
		if err := why.final(); err != nil {
			return nil, err
		}
		if !tooMany(why.status) {
			break
		}
		c.throttled.n.Add(1)
		direct = n < maxRefusals // nothing is wrong with this way of asking
		pause, _ := retryPause(n, nil)
		sleep(ctx, pause)
	}
	req.Body = buf.Body()
	out, err := c.sdk.PutObject(ctx, req, c.unsigned)
	if direct && err == nil {
		w.doubts.Add(1)
	}
	return out, err
}

// unsigned leaves the content out of the signature, which has its checksum.
func (c *Client) unsigned(o *s3.Options) {
	if c.opt.UseUnsignedPayload.Value {
		o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	}
}

// Delete deletes one object. Its absence is no error.
func (c *Client) Delete(ctx context.Context, at options.Address) error {
	out, err := c.sdk.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &at.Bucket, Key: &at.Key, RequestPayer: c.opt.Payer})
	if code(err) == "NoSuchKey" || NoSuchBucket(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if r, ok := middleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok && r.StatusCode == http.StatusNoContent {
		return nil
	}
	// S3 says that there is no content. Another success may mean anything.
	_, err = c.Head(ctx, at)
	switch {
	case NotThere(err):
		return nil
	case err == nil:
		err = fmt.Errorf("%w: the server said that the object is deleted, and has it still", remote.ErrTemporary)
	}
	return err
}

// CanBatch reports whether DeleteAll takes a key: the server deletes in batches, and XML 1.0 can carry the key.
func (c *Client) CanBatch(key string) bool {
	if c.oneByOne.Load() || !utf8.ValidString(key) {
		return false
	}
	for _, r := range key {
		if r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff {
			return false // tabs and newlines are possible, but servers differ in what they make of them
		}
	}
	return true
}

// ErrNoBatch means that keys are to be deleted one by one: the server does not delete in batches, or it is not clear which of
// them it has deleted.
var ErrNoBatch = errors.New("the server does not delete in batches")

// DeleteAll deletes keys of the remote's bucket in one request, and returns the errors by key, or one for all.
func (c *Client) DeleteAll(ctx context.Context, keys []string) (failed map[string]error, err error) {
	req := &s3.DeleteObjectsInput{Bucket: &c.at.Bucket, Delete: &types.Delete{Quiet: aws.Bool(true)}, RequestPayer: c.opt.Payer}
	for i := range keys {
		req.Delete.Objects = append(req.Delete.Objects, types.ObjectIdentifier{Key: &keys[i]})
	}
	// The SDK adds a checksum that older servers do not know; they insist on this one.
	out, err := c.sdk.DeleteObjects(ctx, req, s3.WithAPIOptions(smithyhttp.AddContentChecksumMiddleware))
	switch {
	case NoSuchBucket(err):
		return nil, nil
	case err != nil && refused(err):
		c.oneByOne.Store(true)
		c.log.Debug(ErrNoBatch.Error(), "err", err)
		return nil, ErrNoBatch
	case errors.Is(err, errSilent):
		return nil, ErrNoBatch
	case err != nil:
		return nil, err
	}
	return failures(keys, out)
}

// failures returns what an answer to DeleteAll says by key. Asked to be quiet, a server names what failed; one that names
// what it has deleted all the same has to name all. ErrNoBatch: it names other keys.
func failures(keys []string, out *s3.DeleteObjectsOutput) (failed map[string]error, err error) {
	told := make(map[string]bool, len(keys)) // whether the answer has said something of a key
	for _, key := range keys {
		told[key] = false
	}
	failed = make(map[string]error, len(out.Errors))
	for i := range out.Errors {
		e, key := &out.Errors[i], aws.ToString(out.Errors[i].Key)
		if code := aws.ToString(e.Code); code != "NoSuchKey" {
			failed[key] = &smithy.GenericAPIError{Code: code, Message: aws.ToString(e.Message)}
		}
		if _, ours := told[key]; !ours {
			return nil, ErrNoBatch
		}
		told[key] = true
	}
	for i := range out.Deleted {
		key := aws.ToString(out.Deleted[i].Key)
		if _, ours := told[key]; !ours {
			return nil, ErrNoBatch
		}
		told[key] = true
	}
	if len(out.Deleted) == 0 {
		return failed, nil
	}
	for _, ok := range told {
		if !ok {
			return nil, ErrNoBatch
		}
	}
	return failed, nil
}
