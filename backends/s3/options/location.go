package options

import (
	"fmt"
	"strings"

	"github.com/rclone/rclone/lib/bucket"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/snapshot"
)

// Location is a directory in a bucket. It translates names, which rclone.RemoteName makes of paths, to keys and back.
type Location struct {
	Bucket string
	root   string // in rclone's standard form; "" is the whole bucket
	enc    encoder.MultiEncoder
}

// NewLocation reads the path of a remote as rclone does.
func NewLocation(path string, enc encoder.MultiEncoder) (Location, error) {
	path = strings.Trim(path, "/")
	b, root := bucket.Split(path)
	if b == "" {
		return Location{}, fmt.Errorf("%w: the remote names no bucket", backends.ErrNotAccelerated)
	}
	if strings.Contains(path, "//") {
		return Location{}, fmt.Errorf("%w: two slashes in a row in %q", backends.ErrNotAccelerated, path)
	}
	return Location{Bucket: enc.FromStandardName(b), root: root, enc: enc}, nil
}

// Address is where an object is, as the server has it.
type Address struct{ Bucket, Key string }

// Named is the address of a name.
func (p *Location) Named(name string) Address {
	return Address{p.Bucket, p.enc.FromStandardPath(bucket.Join(p.root, name))}
}

// At is the address of an entry.
func (p *Location) At(path string, kind snapshot.Kind) Address {
	return p.Named(rclone.RemoteName(path, kind))
}

// Prefix is what all keys in p begin with.
func (p *Location) Prefix() string {
	if p.root == "" {
		return ""
	}
	return p.enc.FromStandardPath(p.root) + "/"
}

// Name returns the name of a key, false if the key is not in p.
func (p *Location) Name(key string) (string, bool) {
	name := p.enc.ToStandardPath(key)
	if p.root == "" {
		return name, true
	}
	return strings.CutPrefix(name, p.root+"/")
}
