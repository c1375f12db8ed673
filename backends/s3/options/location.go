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

// Location is a directory in a bucket, in whose terms names are translated to keys and back. A name is what
// rclone.RemoteName makes of a path; a key is what the server is told.
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

// Named is where an object of this name is, or is to be.
func (p *Location) Named(name string) Address {
	return Address{p.Bucket, p.enc.FromStandardPath(bucket.Join(p.root, name))}
}

// At is where an entry of this kind is, or is to be.
func (p *Location) At(path string, kind snapshot.Kind) Address {
	return p.Named(rclone.RemoteName(path, kind))
}

// Prefix is what the keys of everything in p begin with.
func (p *Location) Prefix() string {
	if p.root == "" {
		return ""
	}
	return p.enc.FromStandardPath(p.root) + "/"
}

// Name is the reverse of Named; false for a key that is not in p.
func (p *Location) Name(key string) (string, bool) {
	name := p.enc.ToStandardPath(key)
	if p.root == "" {
		return name, true
	}
	return strings.CutPrefix(name, p.root+"/")
}
