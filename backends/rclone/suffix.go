package rclone

import (
	"context"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/operations"
)

// Suffixed reports whether --suffix, without a directory of its own for backups, made this name.
func Suffixed(rctx context.Context, name, suffix string) bool {
	if strings.HasSuffix(name, suffix) {
		return true
	}
	// With suffix_keep_extension "a.txt" became "a-suffix.txt".
	if !fs.GetConfig(rctx).SuffixKeepExtension {
		return false
	}
	i := strings.LastIndex(name, suffix)
	return i >= 0 && operations.SuffixName(rctx, name[:i]+name[i+len(suffix):]) == name
}
