package rclone

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/snapshot"
)

// Overlaps is the method of a remote.
func Overlaps(source, remote string) error {
	n, err := ParseName(remote)
	if err != nil {
		return err
	}
	return n.Overlaps(source)
}

// Overlaps reports, as an error, that dir is inside the remote or the reverse. Remotes that are built on local
// directories (alias, crypt, union …) are seen through by their configuration; what they store is taken to be
// anywhere in the directory that they are built on. Init must have run.
func (n Name) Overlaps(dir string) error {
	src := filepath.ToSlash(resolve(dir))
	roots, err := n.Roots()
	if err != nil {
		return err
	}
	for _, root := range roots {
		dst := filepath.ToSlash(root)
		switch {
		case src == dst:
			return fmt.Errorf("the remote %s is the source itself", n.text)
		case inside(dst, src):
			return fmt.Errorf("the remote %s is inside the source %s", n.text, dir)
		case inside(src, dst):
			return fmt.Errorf("the source %s is inside the remote %s", dir, n.text)
		}
	}
	return nil
}

// inside reports whether p is beneath dir, on a file system that may ignore case.
func inside(p, dir string) bool {
	if snapshot.Beneath(p, strings.TrimSuffix(dir, "/")) {
		return true
	}
	there, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for up := path.Dir(p); len(up) >= len(dir); up = path.Dir(up) {
		if is, err := os.Stat(up); err == nil && os.SameFile(is, there) {
			return true
		}
		if up == path.Dir(up) {
			break
		}
	}
	return false
}

// MaxNesting bounds overlays upon overlays, whose configuration may run in circles.
const MaxNesting = 10

// Roots returns the local directories that the remote stores things in, as far as its configuration tells. Init must
// have run.
func (n Name) Roots() ([]string, error) { return n.roots(MaxNesting) }

func (n Name) roots(depth int) ([]string, error) {
	if dir, ok := n.Local(); ok {
		return []string{dir}, nil
	}
	if depth == 0 {
		return nil, fmt.Errorf("look through remote %q: its remotes refer to each other", n.text)
	}
	info, _, at, config, err := fs.ConfigFs(n.text)
	if err != nil {
		return nil, n.Explain(err)
	}
	if info.Name == "local" {
		return []string{resolve(at)}, nil
	}
	var dirs []string
	for _, base := range Bases(info.Name, at, config) {
		b, err := ParseName(base)
		if err != nil {
			return nil, err
		}
		more, err := b.roots(depth - 1)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, more...)
	}
	return dirs, nil
}

// Bases returns the remotes that an overlay is built on, by the two option names that all use.
func Bases(kind, at string, config *configmap.Map) []string {
	if base, ok := config.Get("remote"); ok && base != "" {
		if kind == "alias" {
			base = fspath.JoinRootPath(base, at)
		}
		return []string{base}
	}
	list, _ := config.Get("upstreams")
	var words fs.SpaceSepList
	if words.Set(list) != nil {
		return nil
	}
	var all []string
	for _, w := range words {
		if kind == "combine" { // dir=remote:path
			_, w, _ = strings.Cut(w, "=")
		}
		for _, policy := range []string{":ro", ":nc", ":writeback"} {
			w = strings.TrimSuffix(w, policy)
		}
		all = append(all, w)
	}
	return all
}
