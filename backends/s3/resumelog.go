package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/snapsync/snapsync/engine/remote"
)

// resumeLog is what is remembered of unfinished uploads. It knows by heart which paths have one, so that
// small files need not ask.
type resumeLog struct {
	remote.Uploads // nil: nothing is remembered

	mu    sync.Mutex
	paths map[string]time.Time // the last sign of life of each
}

func newResumeLog(u remote.Uploads) (*resumeLog, error) {
	m := &resumeLog{Uploads: u, paths: map[string]time.Time{}}
	if u == nil {
		return m, nil
	}
	all, err := u.Uploads()
	for i := range all {
		m.paths[all[i].Path] = all[i].Last
	}
	return m, err
}

// recall returns what is remembered of path, or nil.
func (m *resumeLog) recall(path string) (*remote.Upload, error) {
	m.mu.Lock()
	_, known := m.paths[path]
	m.mu.Unlock()
	if !known {
		return nil, nil
	}
	return m.Uploads.Upload(path)
}

// begin remembers an upload in the place of an earlier one.
func (m *resumeLog) begin(u *remote.Upload) error {
	if m.Uploads == nil {
		return nil
	}
	m.mu.Lock()
	m.paths[u.Path] = u.Began
	m.mu.Unlock()
	return m.Uploads.BeginUpload(u)
}

func (m *resumeLog) addPart(path string, p remote.UploadPart) error {
	if m.Uploads == nil {
		return nil
	}
	return m.Uploads.AddPart(path, p, time.Now())
}

// end forgets the upload of path: it is complete, or it was aborted.
func (m *resumeLog) end(path string) error {
	if m.Uploads == nil {
		return nil
	}
	if err := m.Uploads.EndUpload(path); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.paths, path)
	return nil
}

// ticket is what this Connection puts into remote.Upload: what it takes to abort an upload, and to
// recognise that another one would be created today.
type ticket struct {
	where  string // the server
	digest string // of everything about the object but its content
	bucket string
	key    string
	sum    algorithm // of its parts
	id     string    // the server's; "" while it is only intended
}

// write stores t, and parse reads it back. Neither the server's address nor a bucket's name has a blank.
func (t *ticket) write(u *remote.Upload) {
	u.Connection = strings.Join([]string{"s3", t.where, t.digest, t.bucket, t.key}, " ")
	if u.ID = ""; t.id != "" {
		u.ID = string(t.sum) + " " + t.id
	}
}

// parse returns false for an upload of another kind of Connection.
func parse(u *remote.Upload) (ticket, bool) {
	f := strings.SplitN(u.Connection, " ", 5)
	if len(f) != 5 || f[0] != "s3" {
		return ticket{}, false
	}
	sum, id, _ := strings.Cut(u.ID, " ")
	return ticket{where: f[1], digest: f[2], bucket: f[3], key: f[4], sum: algorithm(sum), id: id}, true
}

// forget aborts what is remembered of path. A crash in the middle finds it remembered still.
func (c *connection) forget(ctx context.Context, path string) error {
	was, err := c.resumeLog.recall(path)
	if err != nil || was == nil {
		return err
	}
	return c.abandon(ctx, was)
}

func (c *connection) abandon(ctx context.Context, was *remote.Upload) error {
	t, ours := parse(was)
	switch {
	case !ours || t.where != c.where:
		c.log.Warn("an unfinished upload is on another server than the remote is now, and stays there",
			"path", was.Path, "upload", was.Connection)
	case t.id == "":
		if err := c.abortIntended(ctx, &t, was.Began); err != nil {
			return fmt.Errorf("look for an unfinished upload: %w", err)
		}
	default:
		if err := c.abort(ctx, &t); err != nil {
			return fmt.Errorf("abort an unfinished upload: %w", err)
		}
	}
	return c.resumeLog.end(was.Path)
}

// abort frees the parts of an upload. Who may write need not have the right to do so.
func (c *connection) abort(ctx context.Context, t *ticket) error {
	_, err := c.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &t.bucket, Key: &t.key, UploadId: &t.id, RequestPayer: c.payer(),
	})
	if status(err) == http.StatusNotFound {
		return nil
	}
	if err = classify(ctx, err); errors.Is(err, remote.ErrPermission) {
		c.log.Warn("may not abort an unfinished upload: its parts stay, and cost, until the bucket's lifecycle removes them",
			"key", t.key, "err", err)
		return nil
	}
	return err
}

// skew is by how much the server's clock may be behind ours.
const skew = 15 * time.Minute

// abortIntended aborts what may have been created without our having learnt its id: uploads of this very
// key, begun since.
func (c *connection) abortIntended(ctx context.Context, t *ticket, began time.Time) error {
	req := &s3.ListMultipartUploadsInput{Bucket: &t.bucket, Prefix: &t.key, RequestPayer: c.payer()}
	for {
		out, err := c.client.ListMultipartUploads(ctx, req)
		if noSuchBucket(err) || refused(err) {
			return nil
		}
		if err = classify(ctx, err); errors.Is(err, remote.ErrPermission) {
			return nil // who may not look cannot tidy up either
		}
		if err != nil {
			return err
		}
		for i := range out.Uploads {
			u := &out.Uploads[i]
			if aws.ToString(u.Key) != t.key || u.Initiated == nil || u.Initiated.Before(began.Add(-skew)) {
				continue
			}
			c.log.Info("aborting an upload that an interrupted run left", "key", t.key, "initiated", *u.Initiated)
			if err := c.abort(ctx, &ticket{bucket: t.bucket, key: t.key, id: aws.ToString(u.UploadId)}); err != nil {
				return err
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return nil
		}
		req.KeyMarker, req.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}

// uploadAge is how long an unfinished upload is kept for a Send that goes on with it.
const uploadAge = 7 * 24 * time.Hour

// expire aborts the uploads that nobody went on with for so long. One that cannot be aborted now is
// tried again when the remote is opened the next time.
func (c *connection) expire(ctx context.Context, age time.Duration) error {
	if age == 0 {
		age = uploadAge
	}
	for path, last := range c.resumeLog.paths { // nobody else knows the Connection yet
		if time.Since(last) < age {
			continue
		}
		c.log.Info("aborting an upload that nobody went on with", "path", path, "since", last)
		if err := c.forget(ctx, path); err != nil {
			if ctx.Err() != nil || errors.Is(classify(ctx, err), remote.ErrOffline) {
				return err
			}
			c.log.Warn("cannot abort an unfinished upload", "path", path, "err", err)
		}
	}
	return nil
}

// Cleanup implements remote.Connection.
func (c *connection) Cleanup(ctx context.Context, path string) error {
	if err := c.forget(ctx, path); err != nil {
		return fmt.Errorf("clean up after %q: %w", path, classify(ctx, err))
	}
	return nil
}
