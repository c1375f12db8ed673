package rclone

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/fspath"
)

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
			value = withoutProof(userinfo.ReplaceAllString(value, "$1@"))
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
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

var secretWords = []string{"pass", "secret", "token", "key", "credential", "sas_url", "auth", "cookie", "signature"}

// query is one parameter of a URL. Servers take proofs there under any name.
var query = regexp.MustCompile(`([?&;])([^=&;#'"\s]+)=[^&;#'"\s]*`)

// withoutProof leaves the parameters out of a URL that prove who one is.
func withoutProof(url string) string {
	if !strings.Contains(url, "://") {
		return url
	}
	return query.ReplaceAllStringFunc(url, func(s string) string {
		if name := strings.ToLower(query.FindStringSubmatch(s)[2]); secret(nil, name) || name == "sig" {
			return s[:1]
		}
		return s
	})
}

var userinfo = regexp.MustCompile(`(://[^/?#\s'":@]*):[^/?#\s'"]*@`) // the password in a URL

// address is a URL from its scheme on.
var address = regexp.MustCompile(`://[^\s'"]*`)

// assignment is an option in a connection string, which may itself be quoted in another or by %q.
var assignment = regexp.MustCompile(`\b([A-Za-z0-9_]+)=('(?:[^']|\'\')*'|\\*"(?:[^"\\]|"")*\\*"|[^,:'"\s]*)`)

// redact hides the secrets in a text that may quote connection strings and URLs.
func redact(text string) string {
	text = address.ReplaceAllStringFunc(text, func(url string) string { return query.ReplaceAllString(url, "$1$2=XXX") })
	text = userinfo.ReplaceAllString(text, "$1:XXX@")
	return assignment.ReplaceAllStringFunc(text, func(s string) string {
		name, value, _ := strings.Cut(s, "=")
		isPassword := func(r *fs.RegInfo) bool {
			opt := r.Options.Get(name)
			return opt != nil && opt.IsPassword
		}
		if secret(nil, name) || slices.ContainsFunc(fs.Registry, isPassword) {
			return name + "=XXX"
		}
		if quoted := strings.Trim(value, `'"\`); quoted != value && quoted != "" {
			return name + "=" + strings.Replace(value, quoted, redact(quoted), 1)
		}
		return s
	})
}
