package s3

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Delete implements remote.Connection: one request for all, where the server and the names allow it.
func (c *connection) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	keys := make([]string, len(paths)) // "": it is not there
	each(paths, func(i int) { keys[i], errs[i] = c.keyToDelete(ctx, paths[i]) })
	var batch, singly []int
	for i, key := range keys {
		switch {
		case key == "" || errs[i] != nil:
		case c.oneByOne.Load() || !inXML(key):
			singly = append(singly, i)
		default:
			batch = append(batch, i)
		}
	}
	if len(batch) > 0 && !c.deleteBatch(ctx, keys, batch, errs) {
		singly = append(singly, batch...)
	}
	each(singly, func(i int) { errs[singly[i]] = c.deleteKey(ctx, keys[singly[i]]) })
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("delete %q: %w", paths[i], classify(ctx, err))
		}
	}
	return errs
}

// keyToDelete is the key of the file at path. With --links it is asked which of two there is: the other
// may be a file whose name merely looks like that of a link.
func (c *connection) keyToDelete(ctx context.Context, path string) (string, error) {
	if !c.links {
		return c.at.key(path, snapshot.File), nil
	}
	f, err := c.find(ctx, path)
	if errors.Is(err, remote.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return f.key, nil
}

// deleteBatch deletes keys[i] for each i of batch, and sets errs[i]. It returns false if the server does
// not do that: nothing was deleted.
func (c *connection) deleteBatch(ctx context.Context, keys []string, batch []int, errs []error) bool {
	req := &s3.DeleteObjectsInput{Bucket: &c.at.bucket, Delete: &types.Delete{Quiet: aws.Bool(true)}, RequestPayer: c.payer()}
	at := make(map[string]int, len(batch))
	for _, i := range batch {
		at[keys[i]] = i
		req.Delete.Objects = append(req.Delete.Objects, types.ObjectIdentifier{Key: &keys[i]})
	}
	// The SDK adds a checksum that older servers do not know; they insist on this one.
	out, err := c.client.DeleteObjects(ctx, req, s3.WithAPIOptions(smithyhttp.AddContentChecksumMiddleware))
	switch {
	case noSuchBucket(err):
		return true
	case err != nil && refused(err):
		c.oneByOne.Store(true)
		c.log.Debug("the server does not delete in batches", "err", err)
		return false
	case err != nil:
		for _, i := range batch {
			errs[i] = err
		}
		return true
	}
	for i := range out.Errors {
		e := &out.Errors[i]
		n, ours := at[aws.ToString(e.Key)]
		if code := aws.ToString(e.Code); ours && code != "NoSuchKey" {
			errs[n] = &smithy.GenericAPIError{Code: code, Message: aws.ToString(e.Message)}
		}
	}
	return true
}

// deleteKey deletes one object. One that is not there is no error.
func (c *connection) deleteKey(ctx context.Context, key string) error {
	_, err := c.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.at.bucket, Key: &key, RequestPayer: c.payer()})
	if code(err) == "NoSuchKey" || noSuchBucket(err) {
		return nil
	}
	return err
}

// each calls do for every index of list, several at a time.
func each[T any](list []T, do func(i int)) {
	var group errgroup.Group
	group.SetLimit(transfers)
	for i := range list {
		group.Go(func() error { do(i); return nil })
	}
	_ = group.Wait() // do has no errors
}

// inXML reports whether XML 1.0 can carry a key.
func inXML(key string) bool {
	if !utf8.ValidString(key) {
		return false
	}
	for _, r := range key {
		if r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff {
			return false // tabs and newlines are possible, but servers differ in what they make of them
		}
	}
	return true
}
