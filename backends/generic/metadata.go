package generic

import (
	"context"
	"errors"
	"fmt"

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
