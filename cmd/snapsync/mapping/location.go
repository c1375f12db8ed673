package mapping

import (
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/snapshot"
)

// Location is a path on a remote. Remote is what the canonical form has before the path; "": a local directory.
type Location struct{ Remote, Path string }

// Locate returns where a remote, in rclone's syntax, writes, and the remote as people may see it.
func Locate(remote string) (p Location, display string, err error) {
	key, display, err := rclone.Canonical(remote)
	if err != nil {
		return Location{}, "", err
	}
	if dir, ok := rclone.LocalPath(remote); ok {
		return Location{Path: dir}, display, nil
	}
	end := remoteEnd(key)
	return Location{key[:end], key[end:]}, display, nil
}

// remoteEnd is where the path starts in name:path, :type:path or name,option='a:b':path.
func remoteEnd(key string) int {
	quoted := false
	for i, r := range key {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ':' && i > 0 && !quoted:
			return i + 1
		}
	}
	return len(key)
}

// Overlaps reports whether one holds the other. As rclone does it takes paths with and without a
// leading slash for the same.
func (p Location) Overlaps(q Location) bool {
	x, y := strings.Trim(p.Path, "/"), strings.Trim(q.Path, "/")
	return p.Remote == q.Remote && (x == y || x == "" || y == "" || snapshot.Beneath(x, y) || snapshot.Beneath(y, x))
}
