package generic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// object finds the file or symbolic link at path. With --links a path may be either.
func (t *target) object(ctx context.Context, path string) (fs.Object, error) {
	o, err := t.f.NewObject(ctx, rclone.Encode(path))
	if t.links && gone(ctx, err) {
		o, err = t.f.NewObject(ctx, rclone.RemoteName(path, snapshot.Symlink))
	}
	if err != nil && gone(ctx, err) {
		return nil, fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return o, err
}

// same finds what is at path, if that can be was.
func (t *target) same(ctx context.Context, path string, was *snapshot.Entry) (fs.Object, error) {
	o, err := t.object(ctx, path)
	if err != nil || was == nil {
		return o, err
	}
	there := remote.Object{Path: path, Entry: snapshot.Entry{Kind: was.Kind}} // of a link nothing but its name tells
	if err := t.describe(ctx, o, &there); err != nil {
		return nil, err
	}
	if e := &there.Entry; t.caps.SetModTime && e.Mtime == 0 { // where a listing has none, the look at the object has brought it
		e.Mtime = o.ModTime(ctx).Truncate(max(t.caps.Precision, time.Nanosecond)).UnixNano()
	}
	if t.caps.Contradicts(was, &there.Entry) {
		return nil, remote.ErrAnother
	}
	return o, nil
}

// describe fills in what a listing says of a file. Mtime stays 0, unknown, where it costs a request (S3) and the file
// is recognised by its hash.
func (t *target) describe(ctx context.Context, o fs.Object, r *remote.Object) error {
	e := &r.Entry
	e.Size = o.Size()
	if t.hash != hash.None {
		sum, err := o.Hash(ctx, t.hash)
		if err != nil && !errors.Is(err, hash.ErrUnsupported) {
			return fmt.Errorf("hash of %q: %w", r.Path, err)
		}
		e.HashType, e.Hash = rclone.ParseHash(t.caps.Hash, sum)
	}
	if t.f.Features().SlowModTime && e.HashType != snapshot.NoHash {
		return nil
	}
	mtime := o.ModTime(ctx)
	if t.caps.Precision == 0 {
		r.Uploaded = mtime
	}
	e.Mtime = snapshot.Nanos(mtime.Truncate(max(t.caps.Precision, time.Nanosecond)))
	return nil
}

// put uploads. Where a second file of the same name could appear, the first is updated in place.
func (t *target) put(ctx context.Context, in io.Reader, info fs.ObjectInfo) (fs.Object, error) {
	if t.dups {
		old, err := t.f.NewObject(ctx, info.Remote())
		if err == nil {
			return old, old.Update(ctx, in, info, uploadOptions(ctx)...)
		} else if !gone(ctx, err) {
			return nil, err
		}
	}
	return t.f.Put(ctx, in, info, uploadOptions(ctx)...)
}

// uploadOptions are what rclone's --metadata-set and --header-upload say of every upload.
func uploadOptions(ctx context.Context) []fs.OpenOption {
	options := fs.MetadataAsOpenOptions(ctx)
	for _, header := range fs.GetConfig(ctx).UploadHeaders {
		options = append(options, header)
	}
	return options
}

// remove removes o, or what is at name if o is nil.
func (t *target) remove(ctx context.Context, o fs.Object, name string) error {
	if o == nil {
		var err error
		if o, err = t.f.NewObject(ctx, name); gone(ctx, err) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return o.Remove(ctx)
}

// gone reports whether a look at a path failed because nothing is there, also because a parent is a file.
func gone(ctx context.Context, err error) bool {
	return errors.Is(rclone.Classify(ctx, err), remote.ErrNotFound) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrorIsFile)
}
