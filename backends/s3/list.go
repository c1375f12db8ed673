package s3

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/ncw/swift/v2"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// List implements remote.Connection. It is one flat listing, which has no mtimes: a file is recognised
// by the MD5 that its ETag is. Only one whose ETag is none, a multipart object, is asked for by itself.
func (c *connection) List(ctx context.Context, fn func(remote.Object) error) error {
	req := c.listRequest()
	for {
		page, err := c.listPage(ctx, req)
		if noSuchBucket(err) {
			return nil // an empty remote
		}
		if err != nil {
			return fmt.Errorf("list remote: %w", classify(ctx, err))
		}
		found, err := c.remotes(ctx, page.objects)
		if err != nil {
			return fmt.Errorf("list remote: %w", classify(ctx, err))
		}
		for _, r := range found {
			if r == nil {
				continue
			}
			if err := fn(*r); err != nil {
				return fmt.Errorf("list remote: %w", err)
			}
		}
		if page.last {
			return nil
		}
		req.StartAfter, req.ContinuationToken = page.after, page.token
	}
}

func (c *connection) listRequest() *s3.ListObjectsV2Input {
	return &s3.ListObjectsV2Input{
		Bucket: &c.at.bucket, Prefix: notEmpty(c.at.prefix()), MaxKeys: aws.Int32(c.opt.ListChunk), RequestPayer: c.payer(),
	}
}

// page is a piece of a listing, and where the next one begins.
type page struct {
	objects []types.Object // their keys are not encoded
	last    bool
	after   *string // for the first version of the listing
	token   *string // for the second
}

// listPage asks for one page. Where keys turn out to have characters that XML cannot have, it and all
// later ones are URL-encoded.
func (c *connection) listPage(ctx context.Context, req *s3.ListObjectsV2Input) (*page, error) {
	quoted := c.opt.ListURLEncode.Value || c.quotedList.Load()
	req.EncodingType = ""
	if quoted {
		req.EncodingType = types.EncodingTypeUrl
	}
	p, err := c.onePage(ctx, req)
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) && !quoted {
		c.quotedList.Store(true)
		return c.listPage(ctx, req)
	}
	return p, err
}

func (c *connection) onePage(ctx context.Context, req *s3.ListObjectsV2Input) (*page, error) {
	if c.opt.ListVersion == 1 {
		return c.onePageV1(ctx, req)
	}
	out, err := c.client.ListObjectsV2(ctx, req)
	if err != nil {
		return nil, err
	}
	p := &page{objects: out.Contents, last: !aws.ToBool(out.IsTruncated), token: out.NextContinuationToken}
	if err := p.unquote(out.EncodingType); err != nil {
		return nil, err
	}
	if !p.last && aws.ToString(p.token) == "" {
		return nil, errors.New("the server ends a listing in the middle: set list_version = 1 in the remote's configuration")
	}
	return p, nil
}

func (c *connection) onePageV1(ctx context.Context, req *s3.ListObjectsV2Input) (*page, error) {
	out, err := c.client.ListObjects(ctx, &s3.ListObjectsInput{
		Bucket: req.Bucket, Prefix: req.Prefix, MaxKeys: req.MaxKeys, Marker: req.StartAfter,
		EncodingType: req.EncodingType, RequestPayer: req.RequestPayer,
	})
	if err != nil {
		return nil, err
	}
	p := &page{objects: out.Contents, last: !aws.ToBool(out.IsTruncated), after: out.NextMarker}
	if err := p.unquote(out.EncodingType); err != nil {
		return nil, err
	}
	if !p.last && aws.ToString(p.after) == "" {
		if len(p.objects) == 0 {
			return nil, errors.New("the server ends a listing in the middle")
		}
		p.after = p.objects[len(p.objects)-1].Key
	}
	return p, nil
}

// unquote decodes the keys of a listing, if the server says that it did encode them: not all do as asked.
func (p *page) unquote(e types.EncodingType) error {
	if e != types.EncodingTypeUrl {
		return nil
	}
	decode := func(key **string) error {
		plain, err := url.QueryUnescape(aws.ToString(*key))
		if err != nil {
			return fmt.Errorf("decode key %q: %w", aws.ToString(*key), err)
		}
		*key = &plain
		return nil
	}
	for i := range p.objects {
		if err := decode(&p.objects[i].Key); err != nil {
			return err
		}
	}
	if p.after == nil {
		return nil
	}
	return decode(&p.after)
}

// remotes translates a page. An element is nil for what is not the engine's business.
func (c *connection) remotes(ctx context.Context, objects []types.Object) ([]*remote.Object, error) {
	found := make([]*remote.Object, len(objects))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for i := range objects {
		o := &objects[i]
		r := c.remote(aws.ToString(o.Key), aws.ToInt64(o.Size))
		if found[i] = r; r == nil || r.Entry.Kind == snapshot.Dir {
			continue
		}
		if sum := etagMD5(aws.ToString(o.ETag)); sum != nil && !c.opt.etagIsNotMD5 {
			r.Entry.HashType = md5Type
			copy(r.Entry.Hash[:], sum)
			continue
		}
		group.Go(func() error {
			head, err := c.head(ctx, &c.at, aws.ToString(o.Key))
			if notThere(err) {
				found[i] = nil // deleted meanwhile
				return nil
			}
			if err == nil {
				c.fill(&r.Entry, head)
			}
			return err
		})
	}
	return found, group.Wait()
}

// remote is what a key and a size tell; nil for one that is not the engine's business.
func (c *connection) remote(key string, size int64) *remote.Object {
	name, ok := c.at.name(key)
	if !ok || name == "" {
		return nil // not of this directory, or its own marker
	}
	e := snapshot.Entry{Kind: snapshot.File, Size: size, Flags: snapshot.Adopted}
	if dir, ok := strings.CutSuffix(name, "/"); ok && size == 0 {
		name, e.Kind = dir, snapshot.Dir
	}
	if link, ok := rclone.TrimLink(name); ok && c.links && e.Kind == snapshot.File {
		name, e.Kind = link, snapshot.Symlink
	}
	if c.backup.Hides(name, e.Kind == snapshot.Dir) {
		return nil
	}
	path, err := rclone.Decode(name)
	if err != nil {
		c.log.Warn("the remote has a name that no local file can have; it is left alone", "name", name)
		return nil
	}
	_, last := snapshot.Split(path)
	return &remote.Object{Path: path, Entry: e, Temporary: e.Kind == snapshot.File && remote.IsTempName(last)}
}

// fill adds what only the object itself tells.
func (c *connection) fill(e *snapshot.Entry, head *s3.HeadObjectOutput) {
	e.Size = aws.ToInt64(head.ContentLength)
	e.Mtime = mtimeOf(head).UnixNano()
	sum := etagMD5(aws.ToString(head.ETag))
	if c.opt.etagIsNotMD5 {
		sum = nil
	}
	if b, err := base64.StdEncoding.DecodeString(metadata(head.Metadata, metaMD5)); err == nil && len(b) == len(e.Hash) {
		sum = b
	}
	if sum != nil {
		e.HashType = md5Type
		copy(e.Hash[:], sum)
	}
}

// mtimeOf is what rclone takes for the mtime: that of an object which others wrote is when they did.
func mtimeOf(head *s3.HeadObjectOutput) time.Time {
	if t, err := swift.FloatStringToTime(metadata(head.Metadata, metaMtime)); err == nil {
		return t
	}
	return aws.ToTime(head.LastModified)
}

// metadata looks a name up as rclone does: servers differ in how they write them.
func metadata(all map[string]string, name string) string {
	for k, v := range all {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}
