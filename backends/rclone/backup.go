package rclone

import (
	"context"
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs/operations"
)

// maxAside is how often one backup looks for a name that is free of collisions.
const maxAside = 64

// BackUp has move move the file called name to the name of its backup, which --suffix may change. Where one was a file and
// then a directory, a backup is in the way of the next one: its name, or that of the directory, gets ~1, ~2 and so on, for
// both contents are kept. When a move fails, collision says how many names of the path are those of the one in the way; 0:
// nothing is.
func BackUp(rctx context.Context, name string, move func(to string) error, collision func(to string, err error) int) error {
	parts := strings.Split(name, "/")
	aside := make([]int, len(parts))
	for range maxAside {
		to := operations.SuffixName(rctx, asideName(parts, aside))
		err := move(to)
		if err == nil {
			return nil
		}
		n := collision(to, err)
		if n <= 0 || n > len(parts) {
			return err
		}
		aside[n-1]++
	}
	return fmt.Errorf("all names for a backup of %q are taken", name)
}

func asideName(parts []string, aside []int) string {
	named := make([]string, len(parts))
	for i, part := range parts {
		if named[i] = part; aside[i] > 0 {
			named[i] = fmt.Sprintf("%s~%d", part, aside[i])
		}
	}
	return strings.Join(named, "/")
}

// Collision tells BackUp what is in the way of to: a file where a directory should be, or a directory at to itself.
func Collision(to string, isFile, isDir func(name string) bool) int {
	names := 1
	for i, c := range to {
		if c != '/' {
			continue
		}
		if isFile(to[:i]) {
			return names
		}
		names++
	}
	if isDir(to) {
		return names
	}
	return 0
}
