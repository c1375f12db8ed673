package wizard

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
)

// tilde writes a path the way a person does.
func tilde(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return path
	}
	if rel, err := filepath.Rel(home, path); err == nil && filepath.IsLocal(rel) {
		if rel == "." {
			return "~"
		}
		return "~/" + filepath.ToSlash(rel)
	}
	return path
}

// literal writes a path that a shell has expanded for the file, where $ has a meaning.
func literal(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return strings.ReplaceAll(tilde(path), "$", "$$")
}

// wholeRemote makes a directory that is relative to the working directory one that is not.
func wholeRemote(remote string) string {
	if _, local := rclone.LocalPath(remote); local && !filepath.IsAbs(remote) && !strings.HasPrefix(remote, "~") && !strings.HasPrefix(remote, ":") {
		if abs, err := filepath.Abs(remote); err == nil {
			return abs
		}
	}
	return remote
}
