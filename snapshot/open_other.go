//go:build !linux

package snapshot

import (
	"os"
	"path/filepath"
)

var openDirectory = openPortable

// anchor is where the root of a source is.
type anchor struct{ root string }

func openAnchor(root string) (*anchor, error) { return &anchor{root}, nil }

// Close implements io.Closer.
func (a *anchor) Close() error { return nil }

// open opens a file to be read. Unless links is set, no link leads it out of the root; what is another file within it by
// now, Content finds out.
func (a *anchor) open(path string, links bool) (*file, error) {
	open := os.Open
	if !links {
		root, err := os.OpenRoot(a.root)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		open, path = root.Open, filepath.FromSlash(path)
	} else {
		path = join(a.root, path)
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	return &file{f}, nil
}

// stat fills e with what path is now.
func (a *anchor) stat(path string, links bool, e *Entry) error {
	return statPath(join(a.root, path), links, e)
}

// birth returns when the inode at path was made, in nanoseconds since the Unix epoch; 0: unknown.
func (a *anchor) birth(path string, links bool) int64 {
	fi, err := infoOf(join(a.root, path), links)
	if err != nil {
		return 0
	}
	return birthOf(fi)
}

// fsid identifies the file system that the root is on; 0: nothing does.
func (a *anchor) fsid() uint64 { return 0 }

// readLink returns the target of the symbolic link at path.
func (a *anchor) readLink(path string) (string, error) { return os.Readlink(join(a.root, path)) }

// file is an open file of the source.
type file struct{ *os.File }

// stat fills e with what the open file is now.
func (f *file) stat(e *Entry) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	entryOf(fi, e)
	return nil
}

func join(root, path string) string { return filepath.Join(root, filepath.FromSlash(path)) }
