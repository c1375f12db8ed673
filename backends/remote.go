package backends

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/fspath"

	"github.com/snapsync/snapsync/snapshot"
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
	where := cleanPath(p.Path)
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

// LocalPath is Local of a remote.
func LocalPath(remote string) (dir string, ok bool) {
	n, err := ParseName(remote)
	if err != nil {
		return "", false
	}
	return n.Local()
}

// Overlaps is the method of a remote.
func Overlaps(source, remote string) error {
	n, err := ParseName(remote)
	if err != nil {
		return err
	}
	return n.Overlaps(source)
}

// options writes the options of a connection string in order. Secrets are left out, or shown as XXX.
func options(p fspath.Parsed, show bool) string {
	var info fs.Options
	if r, err := fs.Find(strings.TrimPrefix(p.Name, ":")); err == nil {
		info = r.Options
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.Config)) {
		value := p.Config[name]
		if secret(info.Get(name), name) {
			if !show {
				continue
			}
			value = "XXX"
		} else if show {
			value = redact(value)
		} else {
			value = userinfo.ReplaceAllString(value, "$1@")
		}
		b.WriteString("," + configmap.Simple{name: value}.String())
	}
	return b.String()
}

// secret reports whether an option of a remote proves who one is rather than says where to go.
// rclone marks hosts and user names as sensitive too; those are part of the place.
func secret(opt *fs.Option, name string) bool {
	if opt != nil && opt.IsPassword {
		return true
	}
	if opt != nil && !opt.Sensitive {
		return false
	}
	for _, word := range []string{"pass", "secret", "token", "key", "credential", "sas_url", "auth", "cookie"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

var (
	userinfo = regexp.MustCompile(`(://[^/?#\s'":@]*):[^/?#\s'"]*@`) // the password in a URL
	// assignment is an option in a connection string, which may itself be quoted in another or by %q.
	assignment = regexp.MustCompile(`\b([a-z0-9_]+)=('(?:[^']|\'\')*'|\\*"(?:[^"\\]|"")*\\*"|[^,:'"\s]*)`)
)

// redact hides the secrets in a text that may quote connection strings and URLs.
func redact(text string) string {
	text = userinfo.ReplaceAllString(text, "$1:XXX@")
	return assignment.ReplaceAllStringFunc(text, func(s string) string {
		name, value, _ := strings.Cut(s, "=")
		if secret(nil, name) || isPassword(name) {
			return name + "=XXX"
		}
		if quoted := strings.Trim(value, `'"\`); quoted != value && quoted != "" {
			return name + "=" + strings.Replace(value, quoted, redact(quoted), 1)
		}
		return s
	})
}

// isPassword reports that some backend has a password of this name.
func isPassword(name string) bool {
	return slices.ContainsFunc(fs.Registry, func(r *fs.RegInfo) bool {
		opt := r.Options.Get(name)
		return opt != nil && opt.IsPassword
	})
}

func cleanPath(p string) string {
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
	for up := path.Dir(p); len(up) >= len(dir); up = path.Dir(up) {
		if sameDir(up, dir) {
			return true
		}
		if up == path.Dir(up) {
			break
		}
	}
	return false
}

func sameDir(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// maxNesting bounds overlays upon overlays, whose configuration may run in circles.
const maxNesting = 10

// Roots returns the local directories that the remote stores things in, as far as its configuration tells. Init must
// have run.
func (n Name) Roots() ([]string, error) { return n.roots(maxNesting) }

func (n Name) roots(depth int) ([]string, error) {
	if dir, ok := n.Local(); ok {
		return []string{dir}, nil
	}
	if depth == 0 {
		return nil, fmt.Errorf("look through remote %q: its remotes refer to each other", n.text)
	}
	info, _, at, config, err := fs.ConfigFs(n.text)
	if err != nil {
		return nil, n.explain(err)
	}
	if info.Name == "local" {
		return []string{resolve(at)}, nil
	}
	var dirs []string
	for _, base := range bases(info.Name, at, config) {
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

// bases returns the remotes that an overlay is built on, by the two option names that all use.
func bases(kind, at string, config *configmap.Map) []string {
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
