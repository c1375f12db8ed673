package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// direct makes the PUT of a small file without the SDK's stack of middleware, into which half of the processor's
// time for a file of a few bytes went. It knows only success. After anything else the SDK makes the same request
// once more, with all that it knows of errors, clocks and retries.
type direct struct {
	client *http.Client
	signer *v4.Signer
	auth   aws.CredentialsProvider
	region string
	base   url.URL      // of the bucket; its path ends in a slash
	doubts atomic.Int32 // how often in a row the SDK succeeded where this did not
}

// newDirect learns the bucket's address from the SDK. It returns nil for one that direct cannot use.
func newDirect(ctx context.Context, client *s3.Client, bucket string) *direct {
	o := client.Options()
	httpClient, ok := o.HTTPClient.(*http.Client)
	if !ok || o.Credentials == nil || strings.Contains(bucket, ":") {
		return nil
	}
	const key = "key"
	req, err := s3.NewPresignClient(client).PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String(key)})
	if err != nil {
		return nil
	}
	u, err := url.Parse(req.URL)
	if err != nil || !strings.HasSuffix(u.EscapedPath(), "/"+key) {
		return nil
	}
	base := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, key)}
	if base.EscapedPath() != base.Path {
		return nil // the name of a bucket has no such characters
	}
	return &direct{
		client: httpClient, auth: o.Credentials, region: o.Region, base: base,
		signer: v4.NewSigner(func(s *v4.SignerOptions) { s.DisableURIPathEscaping = true }),
	}
}

// refusal is an answer that was no success; its zero value is none at all.
type refusal struct {
	status int
	body   []byte
}

// final returns the server's error if that says that the server is full: asking once more would be no use.
func (r *refusal) final() error {
	var said struct {
		Code, Message string
		RequestID     string `xml:"RequestId"`
	}
	if xml.Unmarshal(r.body, &said) != nil || meanings[said.Code].class != remote.ErrQuota {
		return nil
	}
	if said.RequestID != "" {
		said.Message = strings.TrimRight(said.Message, ". ") + requestText(said.RequestID)
	}
	return &smithy.GenericAPIError{Code: said.Code, Message: said.Message}
}

// put makes the request. Without success it returns nil and the answer.
func (w *direct) put(ctx context.Context, req *s3.PutObjectInput, buf *buffer.Buffer, unsigned bool) (*s3.PutObjectOutput, refusal) {
	key := *req.Key
	r := (&http.Request{
		Method: http.MethodPut, Host: w.base.Host, Header: headers(req), ContentLength: buf.Size,
		URL:   &url.URL{Scheme: w.base.Scheme, Host: w.base.Host, Path: w.base.Path + key, RawPath: w.base.Path + escape(key)},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(buf.Body()), nil }
	r.Body, _ = r.GetBody()
	if buf.Size == 0 {
		r.Body = http.NoBody
	}
	hash := "UNSIGNED-PAYLOAD"
	if !unsigned {
		hash = hex.EncodeToString(buf.Sum(sha256.New()))
	}
	r.Header.Set("X-Amz-Content-Sha256", hash)
	auth, err := w.auth.Retrieve(ctx)
	if err != nil {
		return nil, refusal{}
	}
	if err := w.signer.SignHTTP(ctx, auth, r, hash, "s3", w.region, time.Now()); err != nil {
		return nil, refusal{}
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return nil, refusal{}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // also so that the connection can be used again
	answer.Body.Close()
	if err != nil || len(body) == maxAnswer || answer.StatusCode != http.StatusOK {
		return nil, refusal{answer.StatusCode, body}
	}
	return &s3.PutObjectOutput{
		ETag:                 options.Header(answer.Header.Get("ETag")),
		ChecksumCRC32C:       options.Header(answer.Header.Get("X-Amz-Checksum-Crc32c")),
		ServerSideEncryption: types.ServerSideEncryption(answer.Header.Get("X-Amz-Server-Side-Encryption")),
	}, refusal{}
}

// maxAnswer is more than the answer to a PUT has.
const maxAnswer = 64 << 10

// headers are those that the SDK would send, for the fields that Client.put sets.
func headers(req *s3.PutObjectInput) http.Header {
	h := make(http.Header, 16)
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("Content-Type", aws.ToString(req.ContentType))
	set("Content-Md5", aws.ToString(req.ContentMD5))
	set("X-Amz-Checksum-Crc32c", aws.ToString(req.ChecksumCRC32C))
	set("X-Amz-Acl", string(req.ACL))
	set("X-Amz-Storage-Class", string(req.StorageClass))
	set("X-Amz-Request-Payer", string(req.RequestPayer))
	set("X-Amz-Server-Side-Encryption", string(req.ServerSideEncryption))
	set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", aws.ToString(req.SSEKMSKeyId))
	set("X-Amz-Server-Side-Encryption-Customer-Algorithm", aws.ToString(req.SSECustomerAlgorithm))
	set("X-Amz-Server-Side-Encryption-Customer-Key", aws.ToString(req.SSECustomerKey))
	set("X-Amz-Server-Side-Encryption-Customer-Key-Md5", aws.ToString(req.SSECustomerKeyMD5))
	for name, value := range req.Metadata {
		set(http.CanonicalHeaderKey("X-Amz-Meta-"+name), value)
	}
	return h
}

// maxDoubts is how many doubts end the direct way: the SDK must know something about this server.
const maxDoubts = 20
