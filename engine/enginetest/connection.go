package enginetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// connection is one client of a Memory. See remote.Connection for what its methods promise.
type connection struct {
	m      *Memory
	closed atomic.Bool
}

var _ remote.Connection = (*connection)(nil)

func (c *connection) run(ctx context.Context, op Op, apply func() error) error {
	paths := []string{op.Path}
	if op.From != "" {
		paths = append(paths, op.From)
	}
	return c.runAll(ctx, op, paths, apply, nil)
}

func (c *connection) runAll(ctx context.Context, op Op, paths []string, apply func() error, torn func()) error {
	if c.closed.Load() {
		c.m.mu.Lock()
		defer c.m.mu.Unlock()
		return c.m.misuse(op, "the connection is closed")
	}
	return c.m.run(ctx, op, paths, apply, torn)
}

func (c *connection) Caps() remote.Caps { return c.m.Caps }

func (c *connection) List(ctx context.Context, fn func(remote.Object) error) error {
	var all []remote.Object
	op := Op{Name: "list"}
	err := c.runAll(ctx, op, nil, func() error {
		for _, n := range c.m.beneath("") {
			all = append(all, c.m.remote(n))
		}
		return nil
	}, nil)
	if err != nil {
		return err
	}
	for _, r := range all {
		if err := fn(r); err != nil {
			return fmt.Errorf("%v: %w", op, err)
		}
	}
	return nil
}

func (c *connection) Send(ctx context.Context, path string, src remote.Source) error {
	m, op, e := c.m, Op{Name: "send", Path: path}, src.Entry()
	partial := remote.PartialName(path)
	var content string
	apply := func() error {
		if err := c.place(op, path); err != nil {
			return err
		}
		delete(m.nodes, m.key(partial))
		m.set(path, e, content)
		return nil
	}
	torn := func() {
		if m.parents(path) == "" {
			m.set(partial, snapshot.Entry{Kind: snapshot.File}, content[:len(content)/2])
		}
	}
	// The source is read before the operation is numbered, so that its failures are not the remote's.
	content, err := read(src)
	if err != nil {
		return fmt.Errorf("%v: %w", op, err)
	}
	if int64(len(content)) != e.Size {
		return fmt.Errorf("%v: got %d bytes instead of %d: %w", op, len(content), e.Size, snapshot.ErrChanged)
	}
	return c.runAll(ctx, op, []string{path}, apply, torn)
}

func read(src remote.Source) (content string, err error) {
	in, err := src.Open()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	b, err := io.ReadAll(in)
	return string(b), err
}

// place makes room for a file at path, or says what is in the way.
func (c *connection) place(op Op, path string) error {
	m := c.m
	if n := m.get(path); n != nil && n.entry.Kind == snapshot.Dir {
		return m.misuse(op, "%q is a directory", n.path)
	}
	if file := m.parents(path); file != "" {
		return m.misuse(op, "%q is a file", file)
	}
	return nil
}

func (c *connection) Copy(ctx context.Context, from, path string, e snapshot.Entry, was *snapshot.Entry) error {
	op := Op{Name: "copy", Path: path, From: from}
	return c.run(ctx, op, func() error {
		m := c.m
		if !m.Caps.Copy {
			return m.misuse(op, "no Caps.Copy")
		}
		n, err := c.same(op, from, was)
		if err != nil {
			return err
		}
		if err := c.place(op, path); err != nil {
			return err
		}
		m.set(path, snapshot.Entry{Kind: n.entry.Kind, Mtime: e.Mtime}, n.content)
		return nil
	})
}

// same returns the file at path, if that can be was.
func (c *connection) same(op Op, path string, was *snapshot.Entry) (*node, error) {
	n := c.m.get(path)
	if n == nil || n.entry.Kind == snapshot.Dir {
		return nil, fmt.Errorf("%v: %w", op, remote.ErrNotFound)
	}
	if there := c.m.remote(n); c.m.Caps.Contradicts(was, &there.Entry) {
		return nil, fmt.Errorf("%v: %w", op, remote.ErrAnother)
	}
	return n, nil
}

func (c *connection) Touch(ctx context.Context, path string, e snapshot.Entry, was *snapshot.Entry) error {
	op := Op{Name: "touch", Path: path}
	return c.run(ctx, op, func() error {
		m := c.m
		if !m.Caps.SetModTime {
			return m.misuse(op, "no Caps.SetModTime")
		}
		n, err := c.same(op, path, was)
		if err != nil {
			return err
		}
		m.set(n.path, snapshot.Entry{Kind: n.entry.Kind, Mtime: e.Mtime}, n.content)
		return nil
	})
}

func (c *connection) Mkdir(ctx context.Context, path string) error {
	op := Op{Name: "mkdir", Path: path}
	return c.run(ctx, op, func() error {
		m := c.m
		if n := m.get(path); m.Caps.BucketBased || n != nil && n.entry.Kind == snapshot.Dir {
			return nil
		} else if n != nil {
			return m.misuse(op, "%q is a file", n.path)
		}
		if file := m.parents(path); file != "" {
			return m.misuse(op, "%q is a file", file)
		}
		m.nodes[m.key(path)] = &node{path: path, entry: snapshot.Entry{Kind: snapshot.Dir}}
		m.prune(path + "/")
		return nil
	})
}

func (c *connection) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	if len(paths) == 0 {
		return errs
	}
	m, op := c.m, Op{Name: "delete", Path: paths[0]}
	err := c.runAll(ctx, op, paths, func() error {
		if len(paths) > max(1, m.Caps.DeleteBatch) {
			return m.misuse(op, "%d paths in one batch", len(paths))
		}
		for i, path := range paths {
			one := Op{Name: op.Name, Path: path}
			errs[i] = c.remove(one)
			if i > 0 { // run logs the first
				m.record(one, errs[i])
			}
		}
		return errs[0]
	}, nil)
	if err != nil && errs[0] == nil {
		for i := range errs {
			errs[i] = err
		}
	}
	return errs
}

// remove deletes the file at op.Path.
func (c *connection) remove(op Op) error {
	n := c.m.get(op.Path)
	if n == nil {
		return nil
	}
	if n.entry.Kind == snapshot.Dir {
		return c.m.misuse(op, "it is a directory")
	}
	delete(c.m.nodes, c.m.key(op.Path))
	c.m.prune(op.Path)
	return nil
}

func (c *connection) Backup(ctx context.Context, path string) error {
	op := Op{Name: "backup", Path: path}
	return c.run(ctx, op, func() error {
		m := c.m
		if !m.Caps.Backup {
			return m.misuse(op, "no Caps.Backup")
		}
		n := m.get(path)
		if n == nil || n.entry.Kind == snapshot.Dir {
			return nil
		}
		m.backups[path] = n
		delete(m.nodes, m.key(path))
		m.prune(path)
		return nil
	})
}

func (c *connection) Rmdir(ctx context.Context, path string) error {
	op := Op{Name: "rmdir", Path: path}
	return c.run(ctx, op, func() error {
		m := c.m
		n := m.get(path)
		switch {
		case n == nil || m.Caps.BucketBased:
			return nil
		case n.entry.Kind != snapshot.Dir:
			return m.misuse(op, "it is a file")
		case len(m.beneath(path)) > 0:
			return fmt.Errorf("%v: %w", op, remote.ErrNotEmpty)
		}
		delete(m.nodes, m.key(path))
		m.prune(path)
		return nil
	})
}

func (c *connection) Stat(ctx context.Context, path string) (r remote.Object, err error) {
	op := Op{Name: "stat", Path: path}
	err = c.run(ctx, op, func() error {
		n := c.m.get(path)
		if n == nil {
			return fmt.Errorf("%v: %w", op, remote.ErrNotFound)
		}
		r = c.m.remote(n)
		return nil
	})
	return r, err
}

// Hash gives what the listing would, if that has a hash, and XXH3 otherwise.
func (c *connection) Hash(ctx context.Context, path string, _ snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, err error) {
	op := Op{Name: "hash", Path: path}
	err = c.run(ctx, op, func() error {
		n := c.m.get(path)
		if n == nil || n.entry.Kind == snapshot.Dir {
			return fmt.Errorf("%v: %w", op, remote.ErrNotFound)
		}
		t = cmp.Or(c.m.Caps.Hash, snapshot.XXH3)
		h = sum(t, n.content)
		return nil
	})
	return t, h, err
}

func (c *connection) Cleanup(ctx context.Context, path string) error {
	op := Op{Name: "cleanup", Path: path}
	return c.run(ctx, op, func() error {
		delete(c.m.nodes, c.m.key(remote.PartialName(path)))
		return nil
	})
}

func (c *connection) Flush(ctx context.Context) error {
	return c.runAll(ctx, Op{Name: "flush"}, nil, func() error { return nil }, nil)
}

func (c *connection) Places() ([]remote.Place, error) { return slices.Clone(c.m.Places), nil }

// Throttled returns 0: nobody is ever in the way of another here.
func (c *connection) Throttled() int64 { return 0 }

func (c *connection) Probe(ctx context.Context) error {
	return c.runAll(ctx, Op{Name: "probe"}, nil, func() error { return nil }, nil)
}

func (c *connection) Close() error {
	c.closed.Store(true)
	return nil
}
