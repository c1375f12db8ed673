package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

// look returns what an event beneath the root hints at; false: nothing. If the hint is Deep, a directory is covered anew.
func (c *coverage) look(ctx context.Context, e fsnotify.Event) (h hint.Hint, ok bool) {
	path := e.Name
	if c.root.path == "/" && len(path) > 1 && path[1] == '/' {
		path = path[1:] // fsnotify puts a slash between the root and the name
	}
	rel, ok := c.root.relative(path)
	if !ok {
		return h, false
	}
	c.mu.Lock()
	var was state
	var id fileID
	n := c.tree.byPath[path]
	if n != nil {
		was, id = n.state, n.id
	}
	c.mu.Unlock()

	const comesOrGoes = fsnotify.Create | fsnotify.Remove | fsnotify.Rename
	switch {
	case e.Op&comesOrGoes == 0 && was == unreadable: // it may have become readable
		c.cover(ctx, path)
		return hint.Hint{Path: rel, Deep: true}, true
	case e.Op&comesOrGoes == 0:
		if was == watched {
			c.noteShut(path)
		}
		return hint.Hint{Path: rel}, true
	case n == nil && !e.Has(fsnotify.Create):
		return hint.Hint{Path: rel, Gone: true}, true
	}
	return c.lookAt(ctx, path, rel, e.Op, was == watched, id)
}

// lookAt looks at a name that came or went, and that is or was a directory, or may be one. If the directory with the
// given identity is watched there already, and the event is that of its appearance, the walk that found it was faster.
func (c *coverage) lookAt(ctx context.Context, path, rel string, op fsnotify.Op, isWatched bool, id fileID) (h hint.Hint, ok bool) {
	fi, err := os.Lstat(path)
	switch {
	case op.Has(fsnotify.Create) && errors.Is(err, syscall.ENAMETOOLONG):
		// What it is cannot be seen by its path: it is polled, like one that a walk comes upon.
	case err != nil || !fi.IsDir():
		c.forget(path)
		isLink := err == nil && fi.Mode()&fs.ModeSymlink != 0 // where links are followed, another tree may be beneath
		return hint.Hint{Path: rel, Deep: isLink, Gone: errors.Is(err, fs.ErrNotExist)}, true
	case c.root.skipped(path):
		c.forget(path)
		return h, false
	case op == fsnotify.Create && isWatched && id != fileID{} && idOf(fi) == id:
		return hint.Hint{Path: rel}, true
	}
	c.cover(ctx, path)
	return hint.Hint{Path: rel, Deep: true}, true
}

// noteShut records a watched directory that cannot be read any more. What happens in it is not seen until it can: then everything
// beneath is looked at.
func (c *coverage) noteShut(path string) {
	l := &c.listers[0]
	if _, err := l.open(path, false); err == nil {
		l.close()
	} else if stateOf(err) == unreadable {
		c.record(visit{path: path}, fileID{}, unreadable)
	}
}
