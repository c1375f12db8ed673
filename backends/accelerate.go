package backends

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// Accelerator opens a remote of one rclone backend by other means than rclone's interface. It promises
// what Open does: ErrOffline within Config.Wait if nobody answers, no root created. rctx carries rclone's
// configuration (fs.GetConfig) and no deadline; ctx bounds the opening only.
//
// An error that wraps ErrNotAccelerated says why the generic Connection is the right one. Such an error comes before the
// remote is asked: an outage is never a reason.
type Accelerator func(ctx, rctx context.Context, d *Details) (remote.Connection, error)

// ErrNotAccelerated means that an Accelerator does not understand how a remote is configured.
var ErrNotAccelerated = errors.New("not accelerated")

// Details are what an Accelerator learns of a remote.
type Details struct {
	Name    rclone.Name     // the remote
	Section string          // the remote's name in rclone's configuration, or ":sftp" of one without
	Options *configmap.Map  // its options, for configstruct.Set into the backend's own struct
	Root    string          // the path within the remote, as it was written
	Backup  *BackupLocation // where Backup moves files to; nil: nowhere
	Config  *Config         // what Open was told, zeros filled in

	info *fs.RegInfo
}

var accelerators = map[string]Accelerator{}

// Accelerate registers what opens the remotes of an rclone backend. It is for init functions.
func Accelerate(backend string, a Accelerator) { accelerators[backend] = a }

// Understand returns ErrNotAccelerated if an option of the remote that is not among names has another
// value than rclone's default.
func (d *Details) Understand(rctx context.Context, names ...string) error {
	ci := fs.GetConfig(rctx)
	for name, set := range map[string]bool{"inplace": ci.Inplace, "disable": len(ci.DisableFeatures) > 0, "max_connections": ci.MaxConnections > 0} {
		if set {
			return fmt.Errorf("%w: option %s", ErrNotAccelerated, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.info.Options.NonDefault(d.Options))) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: option %s", ErrNotAccelerated, name)
		}
	}
	// With these a remote changes rclone's configuration for itself.
	for i := range fs.ConfigOptionsInfo {
		for _, prefix := range []string{"override.", "global."} {
			name := prefix + fs.ConfigOptionsInfo[i].Name
			if _, set := d.Options.Get(name); set {
				return fmt.Errorf("%w: option %s", ErrNotAccelerated, name)
			}
		}
	}
	return nil
}

// accelerated opens the remote with its backend's Accelerator. It returns nil, nil if there is none, or
// if the generic Connection has to be used; the log says why, once for each remote and reason.
func accelerated(ctx, rctx context.Context, d *Details) (c remote.Connection, err error) {
	open := accelerators[d.info.Name]
	if open == nil || d.Config.Generic {
		return nil, nil
	}
	if d.Backup, err = openBackupLocation(rctx, d); err == nil {
		c, err = open(ctx, rctx, d)
	}
	if errors.Is(err, ErrNotAccelerated) {
		text := d.Name.Display() + ": " + err.Error()
		if _, said := fellBack.LoadOrStore(text, true); !said {
			d.Config.Log.Info("the remote is used through rclone, which is slower", "remote", d.Name.Display(), "why", err)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open remote: %w", d.Name.Explain(rclone.Classify(rctx, err)))
	}
	return c, nil
}

// fellBack holds what was said of remotes that are not accelerated.
var fellBack sync.Map
