package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// List implements remote.Connection. Directories are read in parallel.
func (l *Connection) List(ctx context.Context, fn func(remote.Object) error) error {
	w := &walk{l: l, fn: fn}
	w.group, w.ctx = errgroup.WithContext(ctx)
	w.group.SetLimit(max(2, runtime.NumCPU()))
	w.group.Go(func() error { return w.visit("") })
	return rclone.Wrap(ctx, w.group.Wait(), "list remote")
}

// walk is one List under way.
type walk struct {
	l     *Connection
	group *errgroup.Group
	ctx   context.Context // of the group: done after the first error

	mu sync.Mutex // keeps fn from being called concurrently
	fn func(remote.Object) error
}

// visit lists dir and everything beneath it, partly on other goroutines.
func (w *walk) visit(dir string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	found, err := w.read(dir)
	if dir == "" && errors.Is(err, os.ErrNotExist) {
		return nil // nothing was sent yet
	}
	if err != nil {
		return fmt.Errorf("directory %q: %w", dir, err)
	}
	if err := w.hand(found); err != nil {
		return err
	}
	for i := range found {
		if found[i].Entry.Kind != snapshot.Dir {
			continue
		}
		sub := found[i].Path
		if w.group.TryGo(func() error { return w.visit(sub) }) {
			continue
		}
		if err := w.visit(sub); err != nil { // all workers are busy: go down ourselves
			return err
		}
	}
	return nil
}

// read returns what dir holds. A name that is gone when it is looked at was never there.
func (w *walk) read(dir string) ([]remote.Object, error) {
	d, err := w.l.open(dir)
	if err != nil {
		return nil, err
	}
	defer d.close()
	names, err := d.list()
	if err != nil {
		return nil, err
	}
	all := make([]remote.Object, 0, len(names))
	for _, name := range names {
		f, err := d.lstat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if o, ok := w.l.object(d, name, snapshot.Join(dir, name), &f); ok {
			all = append(all, o)
		}
	}
	return all, nil
}

func (w *walk) hand(found []remote.Object) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range found {
		if err := w.fn(r); err != nil {
			return err
		}
	}
	return nil
}
