package rclone

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/backends/spelling"
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

// unknown says which remotes there are, and which of them may have been meant.
func unknown(name string) error {
	var names []string
	for _, r := range Remotes() {
		names = append(names, r.Name)
	}
	text := fmt.Sprintf("there is no remote %s in rclone's configuration %s", name, config.GetConfigPath())
	if near := spelling.Nearest(name, names); near != "" {
		text += fmt.Sprintf(": did you mean %s?", near)
	}
	hint := "`snapsync config init` makes a remote"
	if len(names) > maxNamed {
		names = append(names[:maxNamed], "…")
	}
	if len(names) > 0 {
		hint = fmt.Sprintf("you have %s; `snapsync config init` makes another", strings.Join(names, ", "))
	}
	return remote.WithHint(fmt.Errorf("%w: %s", remote.ErrFatal, text), "%s", hint)
}

const maxNamed = 20

// Refuse is an error for a local directory that is not there, and whose name says that another place was meant: a remote's
// without its colon, or a home that the shell did not put in place of ~. Init must have run.
func (n Name) Refuse() error {
	if n.dir == "" {
		return nil
	}
	if _, err := os.Lstat(n.dir); !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if strings.HasPrefix(n.text, "~") {
		err := fmt.Errorf("%w: the shell has left the ~ of %s as it is: it expands one that is not quoted and begins a word", remote.ErrFatal, n.display)
		return remote.WithHint(err, `write "$HOME/…" or the whole path; ./%s is a directory of that name`, n.text)
	}
	if strings.ContainsAny(n.text, `/\.`) {
		return nil
	}
	for _, r := range Remotes() {
		if r.Name == n.text {
			err := fmt.Errorf("%w: there is no directory %s, but there is a remote of that name", remote.ErrFatal, n.display)
			return remote.WithHint(err, "%[1]s: is the remote, %[1]s:PATH a place on it; ./%[1]s is a directory here", n.text)
		}
	}
	return nil
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
		return unknown(p.Name)
	case strings.HasPrefix(err.Error(), "didn't find backend called"):
		return fmt.Errorf("%w: %s needs an rclone backend that this program was built without; "+
			"`snapsync version` lists those it has: %w", remote.ErrFatal, n.display, err)
	}
	return fmt.Errorf("%s: %w", n.display, err)
}
