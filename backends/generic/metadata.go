package generic

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// setMetadata gives o what rclone knows about the file of the source.
func setMetadata(ctx context.Context, source, path string, o fs.Object, kind snapshot.Kind) error {
	to, ok := o.(fs.SetMetadataer)
	if !ok {
		return fmt.Errorf("%w: metadata is only taken with the content", remote.ErrCannotMove)
	}
	meta, err := metadata(ctx, source, path, kind)
	if err != nil {
		return err
	}
	err = to.SetMetadata(ctx, meta)
	if errors.Is(err, fs.ErrorNotImplemented) {
		return fmt.Errorf("%w: %w", remote.ErrCannotMove, err)
	}
	return err
}

// metadata reads what rclone knows about a file of the source.
func metadata(ctx context.Context, source, path string, kind snapshot.Kind) (fs.Metadata, error) {
	if encoder.OS.FromStandardPath(rclone.Encode(path)) != path {
		return nil, fmt.Errorf("read metadata: %w: rclone cannot read a file with this name", remote.ErrInvalidName)
	}
	src, err := fs.NewFs(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	o, err := src.NewObject(ctx, rclone.RemoteName(path, kind))
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w: %w", snapshot.ErrChanged, err)
	}
	meta, err := fs.GetMetadata(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	return meta, nil
}

// keepBits gives the file at path what rclone leaves out of its mode: setuid, setgid and sticky. It masks them for metadata that
// comes from anywhere; here they come from a file of this machine. Only a local remote has such modes.
func (t *target) keepBits(path string, e *snapshot.Entry) {
	const setuid, setgid, sticky = 0o4000, 0o2000, 0o1000
	if ft := t.f.Features(); !ft.IsLocal || ft.UnWrap != nil || !t.caps.Metadata || e.Kind != snapshot.File || e.Mode&(setuid|setgid|sticky) == 0 {
		return
	}
	mode := iofs.FileMode(e.Mode).Perm()
	for bit, is := range map[uint32]iofs.FileMode{setuid: iofs.ModeSetuid, setgid: iofs.ModeSetgid, sticky: iofs.ModeSticky} {
		if e.Mode&bit != 0 {
			mode |= is
		}
	}
	root, err := os.OpenRoot(t.f.Root())
	if err == nil {
		err = errors.Join(root.Chmod(filepath.FromSlash(path), mode), root.Close())
	}
	if err != nil {
		t.log.Warn("setuid, setgid or sticky bit is not kept", "path", path, "error", err)
	}
}
