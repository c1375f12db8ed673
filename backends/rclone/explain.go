package rclone

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/engine/remote"
)

// formOf returns how rclone writes what people write as a URL of this scheme.
func formOf(scheme string) string {
	switch scheme {
	case "file":
		return "/PATH"
	case "sftp", "ssh", "scp", "ftp":
		kind := "sftp"
		if scheme == "ftp" {
			kind = scheme
		}
		return ":" + kind + ",host=HOST,user=USER:PATH"
	case "http", "https", "dav", "davs", "webdav":
		return ":webdav,url='https://HOST/PATH',user=USER:PATH"
	case "s3":
		return ":s3,provider=PROVIDER,env_auth=true:BUCKET/PATH"
	}
	return ":TYPE,OPTION=VALUE:PATH"
}

// Explain says what to do about a remote that cannot be used at all.
func (n Name) Explain(err error) error {
	p, _ := fspath.Parse(n.text) // it could be parsed before
	switch {
	case len(p.Config) == 0 && strings.HasPrefix(p.Path, "//") && errors.Is(err, fs.ErrorNotFoundInConfigFile):
		// Not quoted either: its password may be anywhere.
		return fmt.Errorf("%w: the remote is written as a URL, %s://…; rclone's form is %s, or NAME:PATH with a name of its configuration",
			remote.ErrFatal, p.Name, formOf(p.Name))
	case errors.Is(err, fs.ErrorNotFoundInConfigFile):
		return fmt.Errorf("%w: %s is not in rclone's configuration %s: `rclone listremotes` shows what is, "+
			"`rclone config` adds to it: %w", remote.ErrFatal, n.display, config.GetConfigPath(), err)
	case strings.HasPrefix(err.Error(), "didn't find backend called"):
		return fmt.Errorf("%w: %s needs an rclone backend that this program was built without; "+
			"`snapsync version` lists those it has: %w", remote.ErrFatal, n.display, err)
	}
	return fmt.Errorf("%s: %w", n.display, err)
}
