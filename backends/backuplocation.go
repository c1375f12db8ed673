package backends

import (
	"context"
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// BackupLocation is where Backup moves files to, in the terms of a remote's own paths: what generic finds out
// from the Fs of --backup-dir, for Connections that have none.
type BackupLocation struct {
	Root string // the path of the backup directory within the remote, as it was written; with a suffix only: the remote's own

	rctx   context.Context // only carries rclone's configuration, which has the suffix
	suffix string          // that backups beside their files have; "": they are in a directory of their own
	hidden string          // Root beneath the remote's, not listed; "" if it is elsewhere
}

// openBackupLocation understands --backup-dir and --suffix; nil without them.
func openBackupLocation(rctx context.Context, d *Details) (*BackupLocation, error) {
	cfg := d.Config
	if cfg.Rclone.BackupDir == "" {
		if cfg.Rclone.Suffix == "" {
			return nil, nil
		}
		return &BackupLocation{Root: d.Root, rctx: rctx, suffix: cfg.Rclone.Suffix}, nil
	}
	name, err := rclone.ParseName(cfg.Rclone.BackupDir)
	if err != nil {
		return nil, err
	}
	_, section, root, _, err := fs.ConfigFs(name.Text())
	if err != nil {
		return nil, name.Explain(err)
	}
	if section != d.Section || connectionString(cfg.Rclone.BackupDir) != connectionString(cfg.Remote) {
		return nil, fmt.Errorf("%w: --backup-dir %s must be on the same remote as %s", remote.ErrFatal, name, d.Name)
	}
	a := &BackupLocation{Root: root, rctx: rctx}
	target, at := strings.Trim(rclone.CleanPath(d.Root), "/"), strings.Trim(rclone.CleanPath(root), "/")
	switch {
	case target == at && cfg.Rclone.Suffix == "":
		return nil, fmt.Errorf("%w: --backup-dir %s is the remote itself", remote.ErrFatal, name)
	case target == at:
		a.suffix = cfg.Rclone.Suffix
	case snapshot.Beneath(target, at):
		return nil, fmt.Errorf("%w: the remote %s is inside --backup-dir %s", remote.ErrFatal, d.Name, name)
	case snapshot.Beneath(at, target):
		a.hidden = strings.Trim(strings.TrimPrefix(at, target), "/")
	}
	return a, nil
}

// connectionString is a remote's options as its connection string has them, in order.
func connectionString(remote string) string {
	p, err := fspath.Parse(remote)
	if err != nil {
		return ""
	}
	return p.Config.String()
}

// Move has move move what is called name beneath the remote's root to the name of its backup, beneath Root: see rclone.BackUp.
func (a *BackupLocation) Move(name string, move func(to string) error, collision func(to string, err error) int) error {
	return rclone.BackUp(a.rctx, name, move, collision)
}

// Hides reports that name is not to be listed: it is a backup. A directory of backups hides what is
// beneath it as well.
func (a *BackupLocation) Hides(name string, dir bool) bool {
	if a == nil {
		return false
	}
	if a.hidden != "" && (name == a.hidden || snapshot.Beneath(name, a.hidden)) {
		return true
	}
	return !dir && a.suffix != "" && rclone.Suffixed(a.rctx, name, a.suffix)
}
