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

// coverage is how changes in each directory beneath the root are noticed.
type coverage struct {
	root          *root
	oneFileSystem bool
	limit         int
	listers       []lister
	mounts        map[string]mount // beneath the root, by relative path; written by the goroutine that calls cover

	mu        sync.Mutex // guards what follows, also while watches are added and removed; not held while skip is called
	tree      *tree
	notifier  *fsnotify.Watcher    // nil: there is none
	exhausted bool                 // the system gave no notifier
	told      [unreadable + 1]bool // of which states the log knows that there are some
}

// begin forgets everything and takes a new notifier; nil: the system gave none.
func (c *coverage) begin(n *fsnotify.Watcher, mounts map[string]mount) {
	c.mounts = mounts
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tree, c.notifier, c.exhausted = newTree(), n, n == nil
}

// end forgets everything and gives up the notifier.
func (c *coverage) end() *fsnotify.Watcher {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.notifier
	c.tree, c.notifier = newTree(), nil
	return n
}

// visit is one directory that is to be looked at.
type visit struct {
	path string
	dev  uint64 // of its parent, to notice where another file system begins
	top  *node  // it lies beneath this one, which is polled: it is only counted
}

// cover forgets what was known at and beneath the directory top, and watches all directories there. A directory that
// appears meanwhile is watched, or has an event in the queue. One goroutine at a time calls cover, which breaks off
// when ctx is done.
func (c *coverage) cover(ctx context.Context, top string) {
	c.forget(top)
	first := visit{path: top}
	if top != c.root.path {
		c.mu.Lock()
		if parent := c.tree.byPath[filepath.Dir(top)]; parent != nil {
			first.dev = parent.id.dev
		}
		c.mu.Unlock()
	}
	// Level by level, so that where watches run out it is the deepest directories that have none.
	for level := []visit{first}; len(level) > 0 && ctx.Err() == nil; {
		level = c.coverLevel(ctx, level)
	}
}

// aLotToDo is from how many directories on the work is shared.
const aLotToDo = 16

func (c *coverage) coverLevel(ctx context.Context, level []visit) []visit {
	if len(level) < aLotToDo {
		var next []visit
		for _, v := range level {
			if ctx.Err() == nil {
				next = c.coverOne(&c.listers[0], v, next)
			}
		}
		return next
	}
	var (
		wg    sync.WaitGroup
		taken atomic.Int64
		found = make([][]visit, len(c.listers))
	)
	for i := range c.listers {
		wg.Go(func() {
			for ctx.Err() == nil {
				at := int(taken.Add(1)) - 1
				if at >= len(level) {
					return
				}
				found[i] = c.coverOne(&c.listers[i], level[at], found[i])
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
func (c *coverage) coverOne(l *lister, v visit, next []visit) []visit {
	rel, _ := c.root.relative(v.path)
	if m, ok := c.mounts[rel]; ok && !m.local && v.path != c.root.path {
		// It is not even opened: a server that does not answer would hold up everything.
		if !c.oneFileSystem {
			c.record(v, fileID{}, deaf)
		}
		return next
	}
	id, err := l.open(v.path, v.path == c.root.path)
	if err != nil {
		c.unopened(v, err)
		return next
	}
	defer l.close()
	if v.path != c.root.path && id.dev != v.dev && c.oneFileSystem {
		return next
	}
	if (v.path == c.root.path || id.dev != v.dev) && !l.tells() {
		c.record(v, id, deaf)
		return next
	}
	if v.top == nil {
		n, s := c.claim(v, id)
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
		if v.path == c.root.path {
			path = c.root.prefix + name
		}
		if !c.root.skipped(path) {
			next = append(next, visit{path: path, dev: id.dev, top: v.top})
		}
	})
	if err != nil && v.top == nil {
		c.unopened(v, err)
		return next[:from]
	}
	if v.top != nil {
		c.mu.Lock()
		v.top.beneath += len(next) - from
		c.mu.Unlock()
	}
	return next
}

// unopened records a directory that was listed in its parent, and that cannot be read.
func (c *coverage) unopened(v visit, err error) {
	s := stateOf(err)
	if s == unseen {
		c.forget(v.path) // gone in the meantime: there is an event, or there will be
		return
	}
	if s == deaf {
		s = unreadable
	}
	c.record(v, fileID{}, s)
}

// record says that the directory has no watch, and why.
func (c *coverage) record(v visit, id fileID, s state) {
	if v.top != nil {
		return // what is above is polled already
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.tree.byPath[v.path]; n != nil {
		c.unwatch(n)
	}
	if n := c.add(v.path, id); n != nil {
		c.tree.set(n, s)
	}
}

// claim gives the directory that was found at v.path a node and a watch, and says whether the watch could be had;
// unseen: nothing is to be done.
func (c *coverage) claim(v visit, id fileID) (*node, state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		other := c.tree.byID[id]
		if other == nil {
			return c.watchAt(v.path, id)
		}
		if other.path == v.path {
			return nil, unseen // it was listed twice, as may happen while its parent changes
		}
		c.mu.Unlock()
		fi, err := os.Lstat(other.path)
		c.mu.Lock()
		if c.tree.byID[id] != other {
			continue
		}
		if err == nil && idOf(fi) == id {
			if n := c.add(v.path, id); n != nil {
				c.tree.set(n, twice)
			}
			return nil, twice
		}
		// It moved, and its watch has the old path still. fsnotify would return that one for the new
		// path, and take it away when it reads the event of the move.
		c.unwatch(other)
	}
}

// watchAt adds the watch for claim, under mu. The notifier must have none under this path: given one, and a
// directory that it has under a third path, fsnotify loses count of them and panics later.
func (c *coverage) watchAt(path string, id fileID) (*node, state) {
	if n := c.tree.byPath[path]; n != nil {
		c.unwatch(n)
	}
	n := c.add(path, id)
	if n == nil {
		return nil, unseen
	}
	s := full
	if c.room() {
		s = stateOf(c.notifier.Add(path))
	}
	if s == unseen {
		c.unwatch(n)
		return nil, unseen
	}
	c.tree.set(n, s)
	return n, s
}

// room reports whether one more watch may be asked for, under mu.
func (c *coverage) room() bool {
	return c.notifier != nil && (c.limit <= 0 || c.tree.count[watched] < c.limit)
}

// add makes a node where there is none, under mu. nil: its parent is not watched any more, so that
// something happened above, of which an event tells.
func (c *coverage) add(path string, id fileID) *node {
	if path == c.root.path {
		return c.tree.insert(path, id, nil)
	}
	parent := c.tree.byPath[filepath.Dir(path)]
	if parent == nil || parent.state != watched || c.tree.byPath[path] != nil {
		return nil
	}
	return c.tree.insert(path, id, parent)
}

// forget takes away what is known at and beneath path.
func (c *coverage) forget(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.tree.byPath[path]; n != nil {
		c.unwatch(n)
	}
}

// unwatch takes n away with all that is beneath, under mu.
func (c *coverage) unwatch(n *node) { c.tree.remove(n, c.removeWatch) }

// removeWatch tells the notifier, which may know already that the directory is gone.
func (c *coverage) removeWatch(path string) {
	if c.notifier != nil {
		_ = c.notifier.Remove(path)
	}
}

// stateAt returns how changes in the directory path are noticed; unseen: nothing is known of it.
func (c *coverage) stateAt(path string) state {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.tree.byPath[path]; n != nil {
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
