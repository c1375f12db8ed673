package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

// handle notes what an event hints at. It reports whether the watch was set up anew instead.
func (w *Watcher) handle(ctx context.Context, e fsnotify.Event) (anew bool) {
	path := e.Name
	if path == w.cfg.Root {
		// Of the root itself only its going matters: it is no entry of the tree, and its attributes are
		// what the canary changes.
		if !e.Has(fsnotify.Remove) && !e.Has(fsnotify.Rename) {
			return false
		}
		w.beginAnew(ctx)
		return true
	}
	if w.cfg.Root == "/" && len(path) > 1 && path[1] == '/' {
		path = path[1:] // fsnotify puts a slash between the root and the name
	}
	rel, ok := w.relative(path)
	if !ok {
		return false
	}
	w.mu.Lock()
	var was state
	var id fileID
	n := w.tree.byPath[path]
	if n != nil {
		was, id = n.state, n.id
	}
	w.mu.Unlock()

	const comesOrGoes = fsnotify.Create | fsnotify.Remove | fsnotify.Rename
	switch {
	case e.Op&comesOrGoes == 0:
		if was == unreadable {
			w.appeared(ctx, path, rel) // it may have become readable
			return false
		}
		w.note(hint.Hint{Path: rel})
	case n == nil && !e.Has(fsnotify.Create):
		w.note(hint.Hint{Path: rel, Gone: true})
	default:
		w.lookAt(ctx, path, rel, e.Op == fsnotify.Create && was == watched, id)
	}
	return false
}

// lookAt is about a name that came or went, and that is or was a directory, or may be one. If kept is
// set, the directory with the given identity is watched there already, and the event is that of its
// appearance: the walk that found it was faster.
func (w *Watcher) lookAt(ctx context.Context, path, rel string, kept bool, id fileID) {
	fi, err := os.Lstat(path)
	switch {
	case err != nil || !fi.IsDir():
		w.forget(path)
		w.note(hint.Hint{Path: rel, Gone: errors.Is(err, fs.ErrNotExist)})
	case w.skipped(path):
		w.forget(path)
	case kept && id != fileID{} && idOf(fi) == id:
		w.note(hint.Hint{Path: rel})
	default:
		w.appeared(ctx, path, rel)
	}
}

// appeared watches a directory anew, and what is beneath, and then hints at it.
func (w *Watcher) appeared(ctx context.Context, path, rel string) {
	w.cover(ctx, path)
	w.complain()
	w.note(hint.Hint{Path: rel, Deep: true})
}
