package sftp

import (
	"fmt"
	"path"
	"strings"

	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
)

// refusesTimes reports that a server answered a request to set times with one of the codes that servers have for that.
func refusesTimes(err error) bool {
	return client.HasCode(err, client.FXPermissionDenied, client.FXUnsupported, client.FXFailure)
}

// timed takes what a server says to the times of a file whose content has arrived. A server that refuses to set them
// would refuse as much after the content was sent again, so the file stands, and the refusal is said once.
func (c *connection) timed(err error) error {
	if !refusesTimes(err) {
		return err
	}
	if !c.noTimes.Swap(true) {
		c.log.Warn("the server refuses to set times: files have the time of their arrival there, which verify takes for "+
			"a difference; with set_modtime = false in the remote's configuration neither asks", "err", err)
	}
	return nil
}

// denied makes the error that ends a run of one that every step would meet: the remote's directory is not there, or not
// shown, and the account has no right to make it.
func (c *connection) denied(err error) error {
	if c.dirs.rootIs.Load() == rootThere || !client.HasCode(err, client.FXPermissionDenied, client.FXWriteProtect) {
		return err
	}
	err = fmt.Errorf("%w: %s may not make or enter the remote's directory %q: %w", remote.ErrFatal, c.opt.User, c.dirs.root, err)
	if !path.IsAbs(c.at) {
		return remote.WithHint(err, "make the directory on the server, or give the account the right to")
	}
	home := strings.TrimLeft(c.at, "/")
	if !strings.HasPrefix(c.section, ":") {
		home = c.section + ":" + home
	}
	return remote.WithHint(err, "a path without / at its start begins in the home of the login: %s", home)
}
