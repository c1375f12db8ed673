package backends

import (
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/encoder"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/snapshot"
)

// encode translates a path in the source's bytes to rclone's standard form: what rclone's local
// backend would call the same file.
func encode(path string) string {
	for i := range len(path) {
		if c := path[i]; c < 0x20 || c > 0x7e {
			return encoder.OS.ToStandardPath(path)
		}
	}
	return path // printable ASCII is the same in both, on every system
}

// decode is the reverse of encode. It fails for names that no local file can have.
func decode(remote string) (string, error) {
	path := encoder.OS.FromStandardPath(remote)
	if strings.Count(path, "/") != strings.Count(remote, "/") {
		return "", fmt.Errorf("decode %q: a slash within a name: %w", remote, engine.ErrInvalidName)
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.IndexByte(name, 0) >= 0 {
			return "", fmt.Errorf("decode %q: %w", remote, engine.ErrInvalidName)
		}
	}
	return path, nil
}

// remoteName is the name under which a remote holds an entry of this kind: rclone keeps a symbolic
// link as a file that contains its target.
func remoteName(path string, kind snapshot.Kind) string {
	if kind == snapshot.Symlink {
		return encode(path) + fs.LinkSuffix
	}
	return encode(path)
}
