package rclone

import (
	"fmt"
	"path"
	"path/filepath"

	"github.com/rclone/rclone/fs/fspath"
)

// Name is a remote as somebody wrote it, parsed once.
type Name struct {
	text         string
	key, display string
	dir          string // of a plain local one; "": it is another
}

// ParseName takes anything that rclone takes as a remote. Nothing is connected to, and no configuration is needed.
func ParseName(text string) (Name, error) {
	p, err := fspath.Parse(text)
	if err != nil {
		return Name{}, fmt.Errorf("parse remote: %w", err) // not quoted: what cannot be parsed cannot be redacted
	}
	if dir, ok := localDir(p); ok {
		return Name{text, dir, dir, dir}, nil
	}
	where := CleanPath(p.Path)
	return Name{text: text, key: p.Name + options(p, false) + ":" + where, display: p.Name + options(p, true) + ":" + where}, nil
}

// Text is the remote as it was written, with its secrets.
func (n Name) Text() string { return n.text }

// Key is the same for every spelling of the same place (relative or symbolic local paths, trailing slashes, the
// order of options) and holds no secrets, so that a new password does not make a new mapping.
func (n Name) Key() string { return n.key }

// Display is for people: as written, with secrets redacted.
func (n Name) Display() string { return n.display }

// String is Display: whoever prints a Name shows no secret.
func (n Name) String() string { return n.display }

// Local returns the directory that a plain local remote names: absolute, with symbolic links resolved as far as it
// exists.
func (n Name) Local() (dir string, ok bool) { return n.dir, n.dir != "" }

// Canonical returns Key and Display of a remote.
func Canonical(remote string) (key, display string, err error) {
	n, err := ParseName(remote)
	return n.key, n.display, err
}

// Beside returns a place on the same remote as another one, of which it may lack the secrets: remote, with the path of place.
func Beside(remote, place string) string {
	r, err := fspath.Parse(remote)
	p, perr := fspath.Parse(place)
	if err != nil || perr != nil || r.ConfigString == "" || p.ConfigString == "" {
		return place
	}
	return r.ConfigString + ":" + p.Path
}

// LocalPath is Local of a remote.
func LocalPath(remote string) (dir string, ok bool) {
	n, err := ParseName(remote)
	if err != nil {
		return "", false
	}
	return n.Local()
}

func CleanPath(p string) string {
	if p == "" {
		return ""
	}
	if p = path.Clean(p); p == "." {
		return ""
	}
	return p
}

// localDir returns the directory of a plain local remote.
func localDir(p fspath.Parsed) (dir string, ok bool) {
	if p.Name != "" && p.Name != ":local" || len(p.Config) > 0 {
		return "", false
	}
	if p.Path == "" {
		p.Path = "."
	}
	return resolve(filepath.FromSlash(p.Path)), true
}

// resolve makes a path absolute and follows links, in that part of it that exists.
func resolve(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return filepath.Clean(dir)
	}
	missing := ""
	for exists := abs; ; exists = filepath.Dir(exists) {
		if real, err := filepath.EvalSymlinks(exists); err == nil {
			return filepath.Join(real, missing)
		}
		if filepath.Dir(exists) == exists {
			return abs
		}
		missing = filepath.Join(filepath.Base(exists), missing)
	}
}
