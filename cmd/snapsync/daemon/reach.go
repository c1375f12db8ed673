package daemon

import (
	"context"

	"github.com/snapsync/snapsync/backends/reach"
)

// remotePulse tells whether the remote's servers take calls; nil: that cannot be told.
func (u *supervisor) remotePulse() func(context.Context) error {
	u.mu.Lock()
	m := u.mapping
	u.mu.Unlock()
	remote, err := u.d.RemoteConfig(m, &u.spec.SyncFlags, "")
	if err != nil {
		return nil // the loop was not made with these flags
	}
	return reach.Of(u.d.Ctx, remote.Remote, remote.Rclone, remote.Log)
}
