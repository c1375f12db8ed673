//go:build !linux

package snapshot

import (
	"os"
	"path/filepath"
)

func openDirectory(root string, links bool) (directory, error) { return openPortable(root, links) }

func openFile(root, path string, _ bool) (*os.File, error) { return os.Open(join(root, path)) }

// statFile fills e with what path is now.
func statFile(root, path string, links bool, e *Entry) error {
	stat := os.Lstat
	if links {
		stat = os.Stat
	}
	fi, err := stat(join(root, path))
	if err != nil {
		return err
	}
	entryOf(fi, e)
	if e.Kind == Symlink && e.Size == 0 {
		target, err := readLink(root, path)
		e.Size = int64(len(target))
		return err
	}
	return nil
}

// readLink returns the target of the symbolic link at path.
func readLink(root, path string) (string, error) { return os.Readlink(join(root, path)) }

func join(root, path string) string { return filepath.Join(root, filepath.FromSlash(path)) }
