package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/s3/buffer"
	"github.com/snapsync/snapsync/backends/s3/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// upload is one multipart upload under way: new, or gone on with.
type upload struct {
	ticket
	*Sender

	path     string
	object   *client.Object
	entry    *snapshot.Entry
	partSize int64
	began    time.Time
	kept     map[int]remote.UploadPart // parts that the server has
	parts    []remote.UploadPart       // all, by number - 1; each is written by one goroutine
	whole    bool                      // the object is complete: all that is left is to read the source
	notes    errgroup.Group            // what is being remembered: no request waits for a disk
}

// errDiffers means that an object which was completed before is not the file as it is now.
var errDiffers = fmt.Errorf("%w: what was sent before differs from the file", remote.ErrTemporary)

// keep decides which parts need not be sent again: those that are there as remembered, and those that arrived without
// being remembered, if the server tells their checksum.
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
		case ok && client.PlainETag(was.ETag) == client.PlainETag(p.ETag):
			u.kept[p.Number] = was
		case !ok && p.Checksum != nil:
			u.kept[p.Number] = p
		}
	}
}

func (u *upload) sizeOf(number int) int64 {
	return min(u.partSize, u.entry.Size-int64(number-1)*u.partSize)
}

// remember writes down the upload or, while it has no id, the intent.
func (u *upload) remember() error {
	r := &remote.Upload{Path: u.path, PartSize: u.partSize, Source: *u.entry, Began: u.began}
	u.write(r)
	return u.resume.begin(r)
}

// transfer reads the source once, and sends the parts that are not kept.
func (u *upload) transfer(ctx context.Context, src remote.Source) (err error) {
	in, err := src.Open()
	if err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(u.opt.UploadConcurrency)
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
		buf, err := u.budget.Get(ctx, u.sizeOf(number))
		if err != nil {
			return err
		}
		if err := buf.Fill(ctx, in); err != nil {
			buf.Free()
			return err
		}
		group.Go(func() error {
			defer buf.Free()
			return u.part(ctx, number, buf)
		})
	}
	return nil
}

// part sends a part, unless the kept one is the same.
func (u *upload) part(ctx context.Context, number int, buf *buffer.Buffer) error {
	sum := u.Sum.Sum(buf)
	if kept, ok := u.kept[number]; ok && bytes.Equal(kept.Checksum, sum) {
		u.parts[number-1] = kept
		return nil
	}
	if u.whole {
		return errDiffers
	}
	p, err := u.client.SendPart(ctx, &u.Upload, number, buf, sum)
	if err != nil {
		return err
	}
	u.parts[number-1] = p
	if u.resume.Uploads != nil { // after a crash before the part is noted, keep finds it by its checksum
		u.notes.Go(func() error { return u.resume.AddPart(u.path, p, time.Now()) })
	}
	return nil
}

// complete makes the object of its parts.
func (u *upload) complete(ctx context.Context) error {
	if u.whole {
		return nil
	}
	etag, crc, err := u.client.Complete(ctx, &u.Upload, u.parts)
	switch {
	case client.NoSuchUpload(err) && u.isComplete(ctx, u.parts):
		return nil // the answer to an earlier attempt was lost
	case err != nil:
		return err
	case etag == "" && crc == "" && !u.isComplete(ctx, u.parts):
		return fmt.Errorf("%w: the server said that the object is complete, and does not have it", remote.ErrTemporary)
	case !u.matches(etag, crc):
		return fmt.Errorf("%w: the content arrived damaged: ETag %s", remote.ErrTemporary, etag)
	}
	return nil
}

// matches reports whether ETag and checksum of the object, if the server tells them, are those of its parts.
func (u *upload) matches(etag, crc string) bool {
	want := u.Sum.Composite(u.parts)
	switch {
	case u.Sum == client.CRC32C:
		return crc == "" || crc == want
	case u.opt.ETagIsNotMD5 || !u.opt.UseMultipartEtag.Value || etag == "":
		return true
	}
	return client.PlainETag(etag) == want
}

// isComplete reports that the object is there, and made of these parts: the upload is gone because an attempt whose
// answer was lost has completed it. In doubt it is false, and the file is sent again.
func (u *upload) isComplete(ctx context.Context, parts []remote.UploadPart) bool {
	if len(parts) != len(u.parts) {
		return false
	}
	copy(u.parts, parts)
	head, err := u.client.HeadSums(ctx, u.Address)
	if err != nil || aws.ToInt64(head.ContentLength) != u.entry.Size ||
		client.Metadata(head, client.MetaMtime) != u.object.Metadata[client.MetaMtime] {
		return false
	}
	etag, crc := aws.ToString(head.ETag), aws.ToString(head.ChecksumCRC32C)
	if want := u.Sum.Composite(u.parts); client.PlainETag(etag) == want || crc == want {
		return true
	}
	return u.matches(etag, crc) && !aws.ToTime(head.LastModified).Before(u.began.Add(-client.Skew))
}
