package generic

import (
	"context"
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// backup is where Backup moves files to.
type backup struct {
	f      fs.Fs                  // nil: nowhere
	hidden string                 // f's root beneath the remote's, not listed; "" if it is elsewhere
	suffix func(name string) bool // reports that --suffix, without --backup-dir, made a name; nil: it made none
}

// openBackup opens what --backup-dir names, or checks that --suffix can work without it.
func openBackup(rctx context.Context, cfg *Config, f fs.Fs) (b backup, err error) {
	var name rclone.Name
	switch {
	case cfg.Rclone.BackupDir != "":
		if name, err = rclone.ParseName(cfg.Rclone.BackupDir); err != nil {
			return b, err
		}
		if b.f, err = fs.NewFs(rctx, name.Text()); err != nil {
			return b, name.Explain(rclone.Classify(rctx, err))
		}
	case cfg.Rclone.Suffix != "":
		b.f = f
		b.suffix = func(name string) bool { return rclone.Suffixed(rctx, name, cfg.Rclone.Suffix) }
	default:
		return b, nil
	}
	if !operations.SameConfig(f, b.f) {
		return b, fmt.Errorf("%w: --backup-dir %s must be on the same remote as %s", remote.ErrFatal, name, cfg.Name)
	}
	if !operations.CanServerSideMove(b.f) {
		return b, fmt.Errorf("%w: --backup-dir and --suffix need a remote that can move or copy files itself", remote.ErrFatal)
	}
	if b.f == f {
		return b, nil
	}
	root, at := strings.Trim(f.Root(), "/"), strings.Trim(b.f.Root(), "/")
	switch {
	case root == at && cfg.Rclone.Suffix == "":
		return b, fmt.Errorf("%w: --backup-dir %s is the remote itself", remote.ErrFatal, name)
	case snapshot.Beneath(root, at):
		return b, fmt.Errorf("%w: the remote %s is inside --backup-dir %s", remote.ErrFatal, cfg.Name, name)
	case snapshot.Beneath(at, root):
		b.hidden = strings.Trim(strings.TrimPrefix(at, root), "/")
	}
	return b, nil
}

// hides reports whether a name is in the backup directory.
func (b *backup) hides(name string) bool {
	return b.hidden != "" && (name == b.hidden || snapshot.Beneath(name, b.hidden))
}

// inTheWay is a rclone.Collision of name. Remotes say too little of what has failed: they are asked what is there.
func (b *backup) inTheWay(ctx context.Context, name string) int {
	return rclone.Collision(name, func(name string) bool {
		_, err := b.f.NewObject(ctx, name)
		return err == nil
	}, func(name string) bool {
		if _, err := b.f.NewObject(ctx, name); err == nil {
			return false
		}
		entries, err := b.f.List(ctx, name)
		return err == nil && (len(entries) > 0 || b.f.Features().CanHaveEmptyDirectories)
	})
}
