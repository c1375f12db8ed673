package generic

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// transfer is a server-side move or copy, as rclone's features have them.
type transfer = func(ctx context.Context, src fs.Object, remote string) (fs.Object, error)

// replace puts src, which is on t.f, at name on f: op moves or copies it there. Remotes differ in
// what they do to a file that is there already: most replace it, some refuse, and where several files
// can have one name the old one stays. Only those that refuse show nothing for a moment.
//
// What failed may have happened all the same, only its answer being lost: then the file at name is
// src itself, perhaps its last copy. So it is removed only after the remote said that it is in the
// way, and while src is seen to be another file. A crash after that leaves src where it was.
func (t *target) replace(ctx context.Context, f fs.Fs, src fs.Object, name string, op transfer) (fs.Object, error) {
	var old fs.Object
	if f.Features().DuplicateFiles {
		old, _ = f.NewObject(ctx, name)
	}
	o, err := op(ctx, src, name)
	if err == nil {
		if old != nil {
			err = old.Remove(ctx)
		}
		return o, err
	}
	if old != nil || ctx.Err() != nil || !refused(err) {
		return nil, err
	}
	inTheWay, lookErr := f.NewObject(ctx, name)
	if lookErr != nil {
		return nil, err
	}
	still, lookErr := t.f.NewObject(ctx, src.Remote())
	if lookErr != nil || t.maybeSame(ctx, still, inTheWay) {
		return nil, err
	}
	if removeErr := inTheWay.Remove(ctx); removeErr != nil {
		return nil, err
	}
	return op(ctx, src, name)
}

// refusals are the words, in lower case, of remotes that do not replace files.
var refusals = []string{"exists", "already exist", "alreadyexist", "already_exist", "conflict", "collision", "name_in_use"}

// refused reports that a remote has refused to move or copy, perhaps because of a file in the way. An error of another
// class has another reason.
func refused(err error) bool {
	if class := rclone.ClassOf(err); class != nil && !errors.Is(class, remote.ErrInvalidName) {
		return false
	}
	// FTP has these two codes for all that can be wrong with a name. ProFTPD, unless told to overwrite,
	// says "550 Permission denied".
	var ftp *textproto.Error
	if errors.As(err, &ftp) {
		return ftp.Code == 550 || ftp.Code == 553
	}
	if status := rclone.HTTPStatus(err); status == http.StatusConflict || status == http.StatusPreconditionFailed {
		return true
	}
	text := strings.ToLower(err.Error())
	return errors.Is(err, os.ErrExist) || slices.ContainsFunc(refusals, func(s string) bool { return strings.Contains(text, s) })
}

// maybeSame reports whether two names may lead to one file: a move has happened that one of the looks did not see yet,
// or the remote takes the names for the same.
func (t *target) maybeSame(ctx context.Context, a, b fs.Object) bool {
	x, isX := a.(fs.IDer)
	y, isY := b.(fs.IDer)
	if isX && isY && x.ID() != "" && y.ID() != "" {
		return x.ID() == y.ID()
	}
	differ, _ := t.compare(ctx, a, b)
	return !differ
}

// compare tells whether two files differ or are equal, without reading them. Neither: the remote does not say.
func (t *target) compare(ctx context.Context, a, b fs.Object) (differ, equal bool) {
	if a.Size() != b.Size() {
		return true, false
	}
	if t.hash != hash.None {
		x, errX := a.Hash(ctx, t.hash)
		y, errY := b.Hash(ctx, t.hash)
		if errX == nil && errY == nil && x != "" && y != "" {
			return x != y, x == y
		}
	}
	if t.caps.Precision == 0 {
		return false, false
	}
	same := t.caps.MayHold(a.ModTime(ctx).UnixNano(), b.ModTime(ctx).UnixNano()) // in doubt the same: nothing is removed
	return !same, same
}
