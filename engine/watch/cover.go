package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// visit is one directory that is to be looked at.
type visit struct {
	path string
	dev  uint64 // of its parent, to notice where another file system begins
	top  *node  // it lies beneath this one, which is polled: it is only counted
}

// cover watches the directory top and all that are beneath; whatever was known there is forgotten first.
// What was there before it began is watched when it returns; what appears meanwhile is, or has an event in
// the queue. It is called by one goroutine at a time, and breaks off when ctx is done.
func (w *Watcher) cover(ctx context.Context, top string) {
	w.forget(top)
	first := visit{path: top}
	if top != w.cfg.Root {
		w.mu.Lock()
		if parent := w.tree.byPath[filepath.Dir(top)]; parent != nil {
			first.dev = parent.id.dev
		}
		w.mu.Unlock()
	}
	// Level by level, so that where watches run out it is the deepest directories that have none.
	for level := []visit{first}; len(level) > 0 && ctx.Err() == nil; {
		level = w.coverLevel(ctx, level)
	}
}

// aLotToDo is from how many directories on it is worth to share the work.
const aLotToDo = 16

func (w *Watcher) coverLevel(ctx context.Context, level []visit) []visit {
	if len(level) < aLotToDo {
		var next []visit
		for _, v := range level {
			if ctx.Err() == nil {
				next = w.coverOne(&w.listers[0], v, next)
			}
		}
		return next
	}
	var (
		wg    sync.WaitGroup
		taken atomic.Int64
		found = make([][]visit, len(w.listers))
	)
	for i := range w.listers {
		wg.Go(func() {
			for ctx.Err() == nil {
				at := int(taken.Add(1)) - 1
				if at >= len(level) {
					return
				}
				found[i] = w.coverOne(&w.listers[i], level[at], found[i])
			}
		})
	}
	wg.Wait()
	next := found[0]
	for _, more := range found[1:] {
		next = append(next, more...)
	}
	return next
}

// coverOne watches one directory and appends the directories in it to next.
func (w *Watcher) coverOne(l *lister, v visit, next []visit) []visit {
	rel, _ := w.relative(v.path)
	if m, ok := w.mounts[rel]; ok && !m.local && v.path != w.cfg.Root {
		// It is not even opened: a server that does not answer would hold up everything.
		if !w.cfg.OneFileSystem {
			w.settle(v, fileID{}, deaf)
		}
		return next
	}
	id, err := l.open(v.path, v.path == w.cfg.Root)
	if err != nil {
		w.unopened(v, err)
		return next
	}
	defer l.close()
	if v.path != w.cfg.Root && id.dev != v.dev && w.cfg.OneFileSystem {
		return next
	}
	if (v.path == w.cfg.Root || id.dev != v.dev) && !l.tells() {
		w.settle(v, id, deaf)
		return next
	}
	if v.top == nil {
		n, s := w.claim(v, id)
		switch s {
		case watched:
		case full:
			v.top = n // what is beneath is counted, to say how high the limit should be
		default:
			return next
		}
	}
	from := len(next)
	err = l.directories(func(name string) {
		path := v.path + string(filepath.Separator) + name
		if v.path == w.cfg.Root {
			path = w.prefix + name
		}
		if !w.skipped(path) {
			next = append(next, visit{path: path, dev: id.dev, top: v.top})
		}
	})
	if err != nil && v.top == nil {
		w.unopened(v, err)
		return next[:from]
	}
	if v.top != nil {
		w.mu.Lock()
		v.top.beneath += len(next) - from
		w.mu.Unlock()
	}
	return next
}

// unopened is about a directory that was listed in its parent, and that cannot be read.
func (w *Watcher) unopened(v visit, err error) {
	s := stateOf(err)
	if s == unseen {
		w.forget(v.path) // gone in the meantime: there is an event, or there will be
		return
	}
	if s == deaf {
		s = unreadable
	}
	w.settle(v, fileID{}, s)
}

// settle notes that the directory has no watch, and why.
func (w *Watcher) settle(v visit, id fileID, s state) {
	if v.top != nil {
		return // what is above is polled already
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.tree.byPath[v.path]; n != nil {
		w.unwatch(n)
	}
	if n := w.add(v.path, id); n != nil {
		w.tree.set(n, s)
	}
}

// claim gives the directory that was found at v.path a node and a watch, and says whether the watch
// could be had; unseen: there is nothing to be done about it.
func (w *Watcher) claim(v visit, id fileID) (*node, state) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		other := w.tree.byID[id]
		if other == nil {
			return w.watchAt(v.path, id)
		}
		if other.path == v.path {
			return nil, unseen // it was listed twice, as may happen while its parent changes
		}
		w.mu.Unlock()
		now, err := identityOf(other.path)
		w.mu.Lock()
		if w.tree.byID[id] != other {
			continue
		}
		if err == nil && now == id {
			if n := w.add(v.path, id); n != nil {
				w.tree.set(n, twice)
			}
			return nil, twice
		}
		// It moved, and its watch has the old path still. fsnotify would return that one for the new
		// path, and take it away when it reads the event of the move.
		w.unwatch(other)
	}
}

// watchAt adds the watch for claim, under mu. The notifier must have none under this path: given one, and a
// directory that it has under a third path, fsnotify loses count of them and panics later.
func (w *Watcher) watchAt(path string, id fileID) (*node, state) {
	if n := w.tree.byPath[path]; n != nil {
		w.unwatch(n)
	}
	n := w.add(path, id)
	if n == nil {
		return nil, unseen
	}
	s := full
	if w.room() {
		s = stateOf(w.notifier.Add(path))
	}
	if s == unseen {
		w.unwatch(n)
		return nil, unseen
	}
	w.tree.set(n, s)
	return n, s
}

// room reports whether one more watch may be asked for, under mu.
func (w *Watcher) room() bool {
	return w.notifier != nil && (w.cfg.Limit <= 0 || w.tree.count[watched] < w.cfg.Limit)
}

// add makes a node where there is none, under mu. nil: its parent is not watched any more, so that
// something happened above, of which an event tells.
func (w *Watcher) add(path string, id fileID) *node {
	if path == w.cfg.Root {
		return w.tree.insert(path, id, nil)
	}
	parent := w.tree.byPath[filepath.Dir(path)]
	if parent == nil || parent.state != watched || w.tree.byPath[path] != nil {
		return nil
	}
	return w.tree.insert(path, id, parent)
}

// forget takes away what is known at and beneath path.
func (w *Watcher) forget(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.tree.byPath[path]; n != nil {
		w.unwatch(n)
	}
}

// unwatch takes n away with all that is beneath, under mu.
func (w *Watcher) unwatch(n *node) { w.tree.remove(n, w.removeWatch) }

// removeWatch tells the notifier, which may know already that the directory is gone.
func (w *Watcher) removeWatch(path string) {
	if w.notifier != nil {
		_ = w.notifier.Remove(path)
	}
}

// stateAt returns how changes in the directory path are noticed; unseen: nothing is known of it.
func (w *Watcher) stateAt(path string) state {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.tree.byPath[path]; n != nil {
		return n.state
	}
	return unseen
}

// stateOf says what an attempt to open or to watch a directory led to; unseen: it is not there.
func stateOf(err error) state {
	switch {
	case err == nil:
		return watched
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP),
		errors.Is(err, fsnotify.ErrClosed):
		return unseen
	case errors.Is(err, fs.ErrPermission):
		return unreadable
	case errors.Is(err, syscall.ENAMETOOLONG):
		return long
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.ENOMEM),
		errors.Is(err, errTooManyFiles), errors.Is(err, errFilesExhausted):
		return full
	}
	return deaf
}

// The limits of open files: of the process, and of the system.
const (
	errTooManyFiles   = syscall.EMFILE
	errFilesExhausted = syscall.ENFILE
)

// identityOf returns what path is now, without following a symbolic link.
func identityOf(path string) (fileID, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return fileID{}, err
	}
	return idOf(fi), nil
}

// rootIdentity returns what the root is now. It fails if that is no directory.
func rootIdentity(root string) (fileID, error) {
	fi, err := os.Stat(root)
	if err != nil {
		return fileID{}, err
	}
	if !fi.IsDir() {
		return fileID{}, &os.PathError{Op: "open", Path: root, Err: syscall.ENOTDIR}
	}
	return idOf(fi), nil
}
