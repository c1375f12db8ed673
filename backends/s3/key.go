package s3

import (
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/bucket"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/snapshot"
)

// location is a directory in a bucket, in whose terms names are translated to keys and back. A name is what
// rclone.RemoteName makes of a path; a key is what the server is told.
type location struct {
	bucket string
	root   string // in rclone's standard form; "" is the whole bucket
	enc    encoder.MultiEncoder
}

// newLocation reads the path of a remote as rclone does.
func newLocation(path string, enc encoder.MultiEncoder) (location, error) {
	path = strings.Trim(path, "/")
	b, root := bucket.Split(path)
	if b == "" {
		return location{}, fmt.Errorf("%w: the remote names no bucket", backends.ErrNotAccelerated)
	}
	if strings.Contains(path, "//") {
		return location{}, fmt.Errorf("%w: two slashes in a row in %q", backends.ErrNotAccelerated, path)
	}
	return location{bucket: enc.FromStandardName(b), root: root, enc: enc}, nil
}

func (p *location) keyOf(name string) string {
	return p.enc.FromStandardPath(bucket.Join(p.root, name))
}

// key is where an entry of this kind is, or is to be.
func (p *location) key(path string, kind snapshot.Kind) string {
	return p.keyOf(rclone.RemoteName(path, kind))
}

// prefix is what the keys of everything in p begin with.
func (p *location) prefix() string {
	if p.root == "" {
		return ""
	}
	return p.enc.FromStandardPath(p.root) + "/"
}

// name is the reverse of keyOf; false for a key that is not in p.
func (p *location) name(key string) (string, bool) {
	name := p.enc.ToStandardPath(key)
	if p.root == "" {
		return name, true
	}
	return strings.CutPrefix(name, p.root+"/")
}

// mimeType is what rclone guesses.
func mimeType(name string) string { return fs.MimeTypeFromName(name) }

// escape writes a key as a header wants it, in x-amz-copy-source.
func escape(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
