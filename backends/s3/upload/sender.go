package upload

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/backends/s3/options"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Sender sends what is too large for one request.
type Sender struct {
	client *client.Client
	opt    *options.Options
	budget *buffer.Budget
	log    *slog.Logger
	resume *resumeLog
}

// NewSender reads what is remembered of unfinished uploads. uploads may be nil: then nothing is remembered.
func NewSender(c *client.Client, opt *options.Options, budget *buffer.Budget, uploads remote.Uploads, log *slog.Logger) (*Sender, error) {
	resume, err := newResumeLog(uploads)
	return &Sender{client: c, opt: opt, budget: budget, log: log, resume: resume}, err
}

// Send sends a large file, or what the server lacks of it.
func (s *Sender) Send(ctx context.Context, path string, o *client.Object, src remote.Source) error {
	if s.opt.WantsMD5 {
		sum, err := contentMD5(ctx, src)
		if err != nil {
			return err
		}
		o.SetMD5(sum)
	}
	e := src.Entry()
	u, err := s.goOn(ctx, path, o, &e)
	if err == nil && u == nil {
		u, err = s.create(ctx, path, o, &e)
	}
	if err != nil {
		return err
	}
	if err = u.transfer(ctx, src); err == nil {
		err = u.complete(ctx)
	}
	if err != nil {
		return errors.Join(err, s.giveUp(ctx, u, err))
	}
	// A crash before this leaves an upload remembered that is complete: Forget, or the next Send, sees it.
	return s.resume.end(path)
}

// contentMD5 reads the whole file, only so that rclone finds the MD5 in the metadata.
func contentMD5(ctx context.Context, src remote.Source) (sum []byte, err error) {
	in, err := src.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	h := md5.New()
	buf := make([]byte, buffer.Small)
	for {
		n, err := in.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return h.Sum(nil), nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
	}
}

// newUpload is the upload that would be created for o today, without an id.
func (s *Sender) newUpload(path string, o *client.Object, e *snapshot.Entry) *upload {
	u := &upload{
		Sender: s, path: path, object: o, entry: e, partSize: s.opt.PartSize(e.Size), began: time.Now(),
		ticket: ticket{where: s.client.Where, digest: s.client.Digest(o), Upload: client.Upload{Address: o.Address}},
	}
	u.parts = make([]remote.UploadPart, (e.Size+u.partSize-1)/u.partSize)
	return u
}

// goOn returns the upload that is remembered of path. One of another file or configuration is aborted, and nil returned.
func (s *Sender) goOn(ctx context.Context, path string, o *client.Object, e *snapshot.Entry) (*upload, error) {
	was, err := s.resume.recall(path)
	if err != nil || was == nil {
		return nil, err
	}
	u := s.newUpload(path, o, e)
	t, ours := parse(was)
	u.Sum, u.ID, u.began = t.Sum, t.ID, was.Began
	if !ours || u.ticket != t || t.ID == "" || was.PartSize != u.partSize || !was.Source.SameStat(e) {
		s.log.Debug("starting an upload anew", "path", path, "began", was.Began)
		return nil, s.abort(ctx, was)
	}
	there, err := s.client.Parts(ctx, &t.Upload)
	switch {
	case client.NoSuchUpload(err) && u.isComplete(ctx, was.Parts):
		u.whole, there = true, was.Parts
	case client.NoSuchUpload(err) || client.NoSuchBucket(err):
		s.log.Info("an unfinished upload is gone, starting anew", "path", path)
		return nil, s.resume.end(path)
	case err != nil:
		return nil, err
	}
	u.keep(there, was.Parts)
	s.log.Info("going on with an upload", "path", path, "parts", len(u.kept), "of", len(u.parts))
	return u, nil
}

// create begins an upload. A crash after the request, and before the id is remembered, leaves the intent, by which
// the next Send of the path, or Forget, finds the upload.
func (s *Sender) create(ctx context.Context, path string, o *client.Object, e *snapshot.Entry) (*upload, error) {
	u := s.newUpload(path, o, e)
	err := u.remember()
	if err != nil {
		return nil, err
	}
	created, err := s.client.Create(ctx, o)
	if err != nil {
		return nil, err
	}
	u.Upload = *created
	return u, u.remember()
}

// giveUp aborts a failed upload that nobody remembers, or that the server would refuse again. One that is gone is
// forgotten: the next Send begins anew.
func (s *Sender) giveUp(ctx context.Context, u *upload, why error) error {
	if client.NoSuchUpload(why) || errors.Is(why, errDiffers) {
		return s.resume.end(u.path)
	}
	if s.resume.Uploads != nil && !client.Hopeless(why) {
		return nil
	}
	return s.abandon(ctx, u.path, &u.Upload)
}

// giveUpTimeout bounds abandon: the error of the upload is waited for.
const giveUpTimeout = 5 * time.Second

// abandon aborts an upload and forgets it, also after ctx is done.
func (s *Sender) abandon(ctx context.Context, path string, u *client.Upload) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	if err := s.client.Abort(ctx, u); err != nil {
		s.log.Warn("cannot abort an upload that failed", "path", path, "err", err)
		return nil // it is remembered still
	}
	return s.resume.end(path)
}

// Copy makes a copy in parts, remembered under path. After a crash it is aborted, not gone on with: no content travels.
func (s *Sender) Copy(ctx context.Context, path string, p *client.Copy) error {
	if err := s.Forget(ctx, path); err != nil {
		return err
	}
	t := &ticket{where: s.client.Where, Upload: client.Upload{Address: p.To}}
	remember := func() error {
		r := &remote.Upload{Path: path, Source: snapshot.Entry{Kind: snapshot.File, Size: p.Size}, Began: time.Now()}
		t.write(r)
		return s.resume.begin(r)
	}
	err := remember()
	if err != nil {
		return err
	}
	if t.ID, err = p.Create(ctx); err != nil {
		return err
	}
	if err = remember(); err == nil {
		err = p.Parts(ctx, t.ID)
	}
	if err != nil {
		return errors.Join(err, s.abandon(ctx, path, &t.Upload))
	}
	return s.resume.end(path)
}

// Forget aborts what is remembered of path. After a crash in the middle it is remembered still.
func (s *Sender) Forget(ctx context.Context, path string) error {
	was, err := s.resume.recall(path)
	if err != nil || was == nil {
		return err
	}
	return s.abort(ctx, was)
}

func (s *Sender) abort(ctx context.Context, was *remote.Upload) error {
	t, ours := parse(was)
	switch {
	case !ours || t.where != s.client.Where:
		s.log.Warn("an unfinished upload is on another server than the remote is now, and stays there",
			"path", was.Path, "upload", was.Connection)
	case t.ID == "":
		if err := s.client.AbortSince(ctx, t.Address, was.Began); err != nil {
			return fmt.Errorf("look for an unfinished upload: %w", err)
		}
	default:
		if err := s.client.Abort(ctx, &t.Upload); err != nil {
			return fmt.Errorf("abort an unfinished upload: %w", err)
		}
	}
	return s.resume.end(was.Path)
}

// uploadAge is how long an unfinished upload is kept for a Send that goes on with it.
const uploadAge = 7 * 24 * time.Hour

// Expire aborts the uploads that nobody went on with for so long; 0: uploadAge. One that cannot be aborted now is tried
// again when the remote is opened the next time. Expire comes before any other call.
func (s *Sender) Expire(ctx context.Context, age time.Duration) error {
	if age == 0 {
		age = uploadAge
	}
	for path, last := range s.resume.paths {
		if time.Since(last) < age {
			continue
		}
		s.log.Info("aborting an upload that nobody went on with", "path", path, "since", last)
		if err := s.Forget(ctx, path); err != nil {
			if ctx.Err() != nil || errors.Is(client.Classify(ctx, err), remote.ErrOffline) {
				return err
			}
			s.log.Warn("cannot abort an unfinished upload", "path", path, "err", err)
		}
	}
	return nil
}
