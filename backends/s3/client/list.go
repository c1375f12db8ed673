package client

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
)

// List returns the pages of a flat listing of the remote, none if the bucket is missing. An error is the last element.
func (c *Client) List(ctx context.Context) iter.Seq2[[]types.Object, error] {
	return func(yield func([]types.Object, error) bool) {
		req := c.listRequest()
		shown := progress{seen: make(map[string]bool)}
		for {
			p, err := c.listPage(ctx, req)
			if NoSuchBucket(err) {
				return
			}
			if err == nil {
				err = shown.check(p)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(p.objects, nil) || p.last {
				return
			}
			req.StartAfter, req.ContinuationToken = p.after, p.token
		}
	}
}

func (c *Client) listRequest() *s3.ListObjectsV2Input {
	return &s3.ListObjectsV2Input{
		Bucket: &c.at.Bucket, Prefix: options.Header(c.at.Prefix()), MaxKeys: aws.Int32(c.opt.ListChunk), RequestPayer: c.opt.Payer,
	}
}

// page is a piece of a listing, and where the next one begins.
type page struct {
	objects []types.Object // their keys are not encoded
	quoted  bool           // they were
	last    bool
	after   *string // for the first version of the listing
	token   *string // for the second
}

// progress is what a listing has shown of its end.
type progress struct {
	seen  map[string]bool // the first key of each page, and where each said that the next one begins
	empty int             // pages in a row without a key
}

// maxEmptyPages is how many pages in a row may be empty, such as those of objects that have a delete marker.
const maxEmptyPages = 10_000

// check fails for a page that was there before: such a listing would go on for ever. The order of keys is the server's
// affair.
func (l *progress) check(p *page) error {
	var marks []string
	if !p.last {
		marks = append(marks, "page "+aws.ToString(p.token)+" "+aws.ToString(p.after))
	}
	l.empty++
	for i := range p.objects {
		if l.empty = 0; i == 0 {
			marks = append(marks, "key "+aws.ToString(p.objects[i].Key))
		}
		if size := aws.ToInt64(p.objects[i].Size); size < 0 {
			return fmt.Errorf("%w: the server lists %q with a size of %d", remote.ErrTemporary, aws.ToString(p.objects[i].Key), size)
		}
	}
	if l.empty > maxEmptyPages {
		return fmt.Errorf("%w: the server lists nothing, and does not end", remote.ErrTemporary)
	}
	for _, mark := range marks {
		if l.seen[mark] {
			return fmt.Errorf("%w: the server repeats its listing (%.200q)", remote.ErrTemporary, mark)
		}
		l.seen[mark] = true
	}
	return nil
}

// listPage asks for one page. From the first key that XML cannot carry, pages are URL-encoded.
func (c *Client) listPage(ctx context.Context, req *s3.ListObjectsV2Input) (*page, error) {
	quoted := c.opt.ListURLEncode.Value || c.quotedList.Load()
	req.EncodingType = ""
	if quoted {
		req.EncodingType = types.EncodingTypeUrl
	}
	p, err := c.onePage(ctx, req)
	var syntax *xml.SyntaxError
	if !quoted && (errors.As(err, &syntax) || err == nil && slices.ContainsFunc(p.objects, mayBeMangled)) {
		c.quotedList.Store(true)
		return c.listPage(ctx, req)
	}
	if err == nil && !p.quoted {
		err = c.leaveOutMangled(ctx, p)
	}
	return p, err
}

// mayBeMangled reports whether a key has what servers write for characters that XML cannot carry.
func mayBeMangled(o types.Object) bool {
	return strings.ContainsRune(aws.ToString(o.Key), utf8.RuneError)
}

// leaveOutMangled removes from a page what is there under another name than the page says.
func (c *Client) leaveOutMangled(ctx context.Context, p *page) (err error) {
	p.objects = slices.DeleteFunc(p.objects, func(o types.Object) bool {
		if err != nil || !mayBeMangled(o) {
			return false
		}
		at := options.Address{Bucket: c.at.Bucket, Key: aws.ToString(o.Key)}
		_, headErr := c.Head(ctx, at)
		if !NotThere(headErr) {
			err = headErr
			return false
		}
		c.log.Warn("the server lists a name that it cannot write, and has no object of what it writes: left alone", "key", at.Key)
		return true
	})
	return err
}

func (c *Client) onePage(ctx context.Context, req *s3.ListObjectsV2Input) (*page, error) {
	var p *page
	var encoding types.EncodingType
	if c.opt.ListVersion == 1 {
		out, err := c.sdk.ListObjects(ctx, &s3.ListObjectsInput{
			Bucket: req.Bucket, Prefix: req.Prefix, MaxKeys: req.MaxKeys, Marker: req.StartAfter,
			EncodingType: req.EncodingType, RequestPayer: req.RequestPayer,
		})
		if err != nil {
			return nil, err
		}
		p = &page{objects: out.Contents, last: !aws.ToBool(out.IsTruncated), after: out.NextMarker}
		encoding = out.EncodingType
	} else {
		out, err := c.sdk.ListObjectsV2(ctx, req)
		if err != nil {
			return nil, err
		}
		p = &page{objects: out.Contents, last: !aws.ToBool(out.IsTruncated), token: out.NextContinuationToken}
		encoding = out.EncodingType
	}
	if err := p.unquote(encoding); err != nil {
		return nil, err
	}
	switch {
	case p.last || aws.ToString(p.token) != "" || aws.ToString(p.after) != "":
	case c.opt.ListVersion != 1:
		return nil, errors.New("the server ends a listing in the middle: set list_version = 1 in the remote's configuration")
	case len(p.objects) == 0:
		return nil, errors.New("the server ends a listing in the middle")
	default:
		p.after = p.objects[len(p.objects)-1].Key
	}
	return p, nil
}

// unquote decodes keys, if the server says that it has encoded them: not all do as asked.
func (p *page) unquote(e types.EncodingType) error {
	if p.quoted = e == types.EncodingTypeUrl; !p.quoted {
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
