package generic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/operations"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// openBackup opens what --backup-dir names, or checks that --suffix can work without it.
func (g *Connection) openBackup() error {
	switch {
	case g.cfg.Rclone.BackupDir != "":
		name, err := rclone.ParseName(g.cfg.Rclone.BackupDir)
		if err != nil {
			return err
		}
		b, err := fs.NewFs(g.rctx, name.Text())
		if err != nil {
			return name.Explain(rclone.Classify(g.rctx, err))
		}
		g.backup = b
	case g.cfg.Rclone.Suffix != "":
		g.backup = g.f
	default:
		return nil
	}
	if !operations.SameConfig(g.f, g.backup) {
		return fmt.Errorf("%w: --backup-dir %s must be on the same remote as %s", remote.ErrFatal, g.cfg.Rclone.BackupDir, g.cfg.Name.Text())
	}
	if !operations.CanServerSideMove(g.backup) {
		return fmt.Errorf("%w: --backup-dir and --suffix need a remote that can move or copy files itself", remote.ErrFatal)
	}
	return g.hideBackup()
}

// hideBackup finds the backup directory within the remote, where it must not be listed.
func (g *Connection) hideBackup() error {
	if g.backup == g.f {
		return nil
	}
	root, at := strings.Trim(g.f.Root(), "/"), strings.Trim(g.backup.Root(), "/")
	switch {
	case root == at && g.cfg.Rclone.Suffix == "":
		return fmt.Errorf("%w: --backup-dir %s is the remote itself", remote.ErrFatal, g.cfg.Rclone.BackupDir)
	case snapshot.Beneath(root, at):
		return fmt.Errorf("%w: the remote %s is inside --backup-dir %s", remote.ErrFatal, g.cfg.Name.Text(), g.cfg.Rclone.BackupDir)
	case snapshot.Beneath(at, root):
		g.hidden = strings.Trim(strings.TrimPrefix(at, root), "/")
	}
	return nil
}

// Backup implements remote.Connection. That a path is not there is no error only when that is the
// first thing found: later it would mean that the file got lost on its way.
func (g *Connection) Backup(ctx context.Context, path string) error {
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.object(ctx, path)
		if errors.Is(err, remote.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		return g.moveAway(ctx, o)
	})
	if err != nil {
		return fmt.Errorf("back up %q: %w", path, err)
	}
	return nil
}

// moveAway moves a file to its backup's name. A crash between a copy and the removal leaves both, and
// the next Backup of the path copies once more.
func (g *Connection) moveAway(ctx context.Context, o fs.Object) error {
	name := operations.SuffixName(ctx, o.Remote())
	ft := g.backup.Features()
	if ft.Move != nil {
		_, err := g.replace(ctx, g.backup, o, name, ft.Move)
		return err
	}
	if _, err := g.replace(ctx, g.backup, o, name, ft.Copy); err != nil {
		return err
	}
	return o.Remove(ctx)
}

func (g *Connection) isHidden(remote string) bool {
	return g.hidden != "" && (remote == g.hidden || snapshot.Beneath(remote, g.hidden))
}

// isBackup reports whether --suffix, without --backup-dir, made this name.
func (g *Connection) isBackup(name string) bool {
	if g.backup == nil || g.backup != g.f {
		return false
	}
	return rclone.Suffixed(g.rctx, name, g.cfg.Rclone.Suffix)
}
