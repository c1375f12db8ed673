// Package options reads rclone's configuration of an S3 remote: its options, what they imply with its provider, and
// where the remote is. What it does not understand is left to the generic Connection.
package options

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	rclones3 "github.com/rclone/rclone/backend/s3"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/chunksize"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/config/configstruct"

	"github.com/snapsync/snapsync/backends"
)

// understood are the options of rclone's s3 backend that have the same effect here, or need none.
var understood = []string{
	"provider", "env_auth", "access_key_id", "secret_access_key", "session_token", "profile", "shared_credentials_file",
	"role_arn", "role_session_name", "role_session_duration", "role_external_id",
	"region", "endpoint", "location_constraint", "force_path_style", "use_dual_stack", "use_accelerate_endpoint", "use_arn_region",
	"acl", "bucket_acl", "requester_pays", "storage_class", "no_check_bucket", "use_already_exists", "encoding",
	"server_side_encryption", "sse_kms_key_id",
	"sse_customer_algorithm", "sse_customer_key", "sse_customer_key_base64", "sse_customer_key_md5",
	"upload_cutoff", "chunk_size", "max_upload_parts", "copy_cutoff", "upload_concurrency", "disable_checksum",
	"use_multipart_etag", "use_multipart_uploads", "use_unsigned_payload", "use_data_integrity_protections",
	"list_chunk", "list_version", "list_url_encode",
	"disable_http2", "leave_parts_on_error", "no_head", "no_head_object", "memory_pool_flush_time", "memory_pool_use_mmap",
	"might_gzip", "use_accept_encoding_gzip", "sign_accept_encoding", "no_system_metadata", "description",
}

// quirks are what rclone knows of a provider, and does not export.
type quirks struct {
	pathStyle  bool // the bucket is in the path, not in the host
	listV1     bool // the second version of the listing is not to be relied on
	plainList  bool // listings are not URL-encoded, unless they turn out to need it
	randomETag bool // the ETag of a multipart object is not made of those of its parts
	anyExists  bool // "bucket already exists" is said of one's own as well
	maxParts   int  // of one upload; 0: 10,000
	Checksums  Support
}

// Support says what is known of a provider's additional checksums.
type Support int32

const (
	Unknown Support = iota // its first answer tells
	Yes
	No
)

// providers are those of rclone's whose quirks are known here. Others are left to rclone.
var providers = map[string]quirks{
	"AWS":          {Checksums: Yes},
	"Minio":        {pathStyle: true},
	"Other":        {pathStyle: true, listV1: true, plainList: true, randomETag: true, anyExists: true},
	"Ceph":         {pathStyle: true, listV1: true, plainList: true, anyExists: true},
	"Cloudflare":   {pathStyle: true, randomETag: true, Checksums: No},
	"Wasabi":       {Checksums: No},
	"DigitalOcean": {plainList: true, anyExists: true, Checksums: No},
	"Hetzner":      {anyExists: true, Checksums: No},
	"Linode":       {Checksums: No},
	"OVHcloud":     {Checksums: No},
	"Scaleway":     {maxParts: 1000, Checksums: No},
	"SeaweedFS":    {pathStyle: true, listV1: true, plainList: true, randomETag: true, anyExists: true, Checksums: No},
}

// Limits of the protocol: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	MaxParts     = 10_000
	minPartSize  = 5 << 20
	maxPutSize   = 5 << 30
	DeleteBatch  = 1000 // keys of one DeleteAll
	maxListBatch = 1000
)

// partSize is the default of chunk_size. rclone's 5 MiB make more requests; larger parts lose more in a crash.
const partSize = 8 << 20

// Options are rclone's, with what they imply made explicit.
type Options struct {
	rclones3.Options
	quirks

	ETagIsNotMD5 bool // not even that of an object sent in one request
	WantsMD5     bool // multipart objects carry the MD5 of their content, at the price of a second read

	// Headers of requests; "" and nil are not sent.
	Payer      types.RequestPayer
	KMSKey     *string
	Encryption struct{ Algorithm, Key, KeyMD5 *string } // with a key from outside
}

// Parse returns ErrNotAccelerated for what is not understood here, and for what rclone will refuse in words of its own.
func Parse(rctx context.Context, d *backends.Details) (*Options, error) {
	if err := d.Understand(rctx, understood...); err != nil {
		return nil, err
	}
	if err := understandGlobal(rctx, d); err != nil {
		return nil, err
	}
	o := &Options{}
	if err := configstruct.Set(d.Options, &o.Options); err != nil {
		return nil, fmt.Errorf("%w: %w", backends.ErrNotAccelerated, err)
	}
	if o.Provider == "" {
		o.Provider = "Other" // as rclone does
	}
	var known bool
	if o.quirks, known = providers[o.Provider]; !known {
		return nil, fmt.Errorf("%w: provider %s", backends.ErrNotAccelerated, o.Provider)
	}
	// rclone's default is to read a large file twice. Here it has to be asked for, in so many words.
	value, set := d.Options.GetPriority("disable_checksum", configmap.PriorityConfig)
	o.WantsMD5 = set && value == "false"
	if _, set := d.Options.GetPriority("chunk_size", configmap.PriorityConfig); !set {
		o.ChunkSize = partSize
	}
	o.settle()
	return o, o.validate()
}

// understandGlobal refuses the global options that rclone's s3 backend obeys, and this one would not.
func understandGlobal(rctx context.Context, d *backends.Details) error {
	ci := fs.GetConfig(rctx)
	for name, set := range map[string]bool{
		"metadata":           d.Config.Rclone.Metadata,
		"metadata_set":       len(ci.MetadataSet) > 0,
		"header_upload":      len(ci.UploadHeaders) > 0,
		"use_server_modtime": ci.UseServerModTime,
		"use_cookies":        ci.Cookie,
	} {
		if set {
			return fmt.Errorf("%w: option %s", backends.ErrNotAccelerated, name)
		}
	}
	return nil
}

// settle fills in the defaults that rclone derives from the provider and other options.
func (o *Options) settle() {
	o.ForcePathStyle = o.ForcePathStyle && o.pathStyle && !o.UseAccelerateEndpoint
	if o.ListVersion == 0 {
		o.ListVersion = 2
		if o.listV1 {
			o.ListVersion = 1
		}
	}
	settle := func(t *fs.Tristate, value bool) {
		if !t.Valid {
			*t = fs.Tristate{Value: value, Valid: true}
		}
	}
	settle(&o.ListURLEncode, !o.plainList)
	settle(&o.UseMultipartEtag, !o.randomETag)
	settle(&o.UseMultipartUploads, true)
	settle(&o.UseUnsignedPayload, true)
	settle(&o.UseAlreadyExists, !o.anyExists)
	if o.UseDataIntegrityProtections.Valid && !o.UseDataIntegrityProtections.Value {
		o.Checksums = No
	}
	if !o.UseMultipartUploads.Value {
		o.UploadCutoff = math.MaxInt64
	}
	o.MaxUploadParts = max(1, min(o.MaxUploadParts, MaxParts))
	if o.maxParts > 0 {
		o.MaxUploadParts = min(o.MaxUploadParts, o.maxParts)
	}
	o.ListChunk = max(1, min(o.ListChunk, maxListBatch))
	o.UploadConcurrency = max(1, o.UploadConcurrency)
	if o.BucketACL == "" {
		o.BucketACL = o.ACL
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Endpoint != "" && !strings.HasPrefix(o.Endpoint, "http") {
		o.Endpoint = "https://" + o.Endpoint
	}
	// The ETags of objects that are encrypted with keys from outside have nothing to do with their content.
	o.ETagIsNotMD5 = o.ServerSideEncryption == "aws:kms" || o.SSECustomerAlgorithm != ""
	if o.SSECustomerKeyBase64 == "" {
		o.SSECustomerKeyBase64 = base64.StdEncoding.EncodeToString([]byte(o.SSECustomerKey))
	}
	if key, err := base64.StdEncoding.DecodeString(o.SSECustomerKeyBase64); err == nil && len(key) > 0 && o.SSECustomerKeyMD5 == "" {
		sum := md5.Sum(key)
		o.SSECustomerKeyMD5 = base64.StdEncoding.EncodeToString(sum[:])
	}
	o.Encryption.Algorithm, o.Encryption.Key, o.Encryption.KeyMD5 = Header(o.SSECustomerAlgorithm), Header(o.SSECustomerKeyBase64), Header(o.SSECustomerKeyMD5)
	o.KMSKey = Header(o.SSEKMSKeyID)
	if o.RequesterPays {
		o.Payer = types.RequestPayerRequester
	}
}

// validate finds values that rclone refuses, or handles in a way of its own.
func (o *Options) validate() error {
	for _, wrong := range []struct {
		option string
		is     bool
	}{
		{"region", o.Region == "other-v2-signature"},
		{"chunk_size", o.ChunkSize < minPartSize},
		{"copy_cutoff", o.CopyCutoff < minPartSize || o.CopyCutoff > maxPutSize},
		{"upload_cutoff", o.UploadCutoff > maxPutSize && o.UseMultipartUploads.Value},
		{"use_multipart_uploads", !o.UseMultipartUploads.Value}, // whole files would have to fit into memory
		{"list_version", o.ListVersion > 2},
		{"access_key_id", (o.AccessKeyID == "") != (o.SecretAccessKey == "")},
		{"sse_customer_key", o.SSECustomerKey != "" && o.SSECustomerKeyBase64 != base64.StdEncoding.EncodeToString([]byte(o.SSECustomerKey))},
	} {
		if wrong.is {
			return fmt.Errorf("%w: option %s", backends.ErrNotAccelerated, wrong.option)
		}
	}
	return nil
}

// PartSize is the size of all parts of a file but the last. It grows with huge files, of which there would be too many.
func (o *Options) PartSize(size int64) int64 {
	return int64(chunksize.Calculator(nil, size, o.MaxUploadParts, o.ChunkSize))
}

// Header returns nil for a header that is not to be sent.
func Header(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
