package sftp

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// readers is how many directories are read at once.
const readers = 32

// List implements remote.Connection.
func (c *connection) List(ctx context.Context, fn func(remote.Object) error) error {
	l := &listing{c: c, fn: fn}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	l.group = group
	group.Go(func() error { return l.visit(gctx, "") })
	if err := group.Wait(); err != nil {
		return fmt.Errorf("list remote: %w", rclone.Classify(ctx, c.denied(err)))
	}
	return nil
}

// listing is one List under way.
type listing struct {
	c     *connection
	group *errgroup.Group

	mu sync.Mutex // keeps fn from being called concurrently
	fn func(remote.Object) error
}

// visit lists the directory that rclone calls dir, and what is beneath it.
func (l *listing) visit(ctx context.Context, dir string) error {
	entries, err := l.read(ctx, dir)
	if errors.Is(err, remote.ErrNotFound) {
		if dir == "" {
			return nil // nothing was sent yet
		}
		return fmt.Errorf("%w: directory %q vanished while it was listed", remote.ErrTemporary, dir)
	}
	if err != nil {
		return fmt.Errorf("directory %q: %w", dir, err)
	}
	subdirs, err := l.add(ctx, dir, entries)
	if err != nil {
		return err
	}
	for _, sub := range subdirs {
		next := func() error { return l.visit(ctx, sub) }
		if l.group.TryGo(next) {
			continue
		}
		if err := next(); err != nil { // all readers are busy: go down ourselves
			return err
		}
	}
	return nil
}

func (l *listing) read(ctx context.Context, dir string) (entries []client.Named, err error) {
	s, err := l.c.pool.Get(ctx)
	if err != nil {
		return nil, err
	}
	defer l.c.pool.Put(s)
	full := l.c.full(dir)
	if entries, err = s.ReadDir(ctx, full); err != nil {
		return nil, err
	}
	return l.c.follow(ctx, s, full, entries)
}

// add hands on what belongs to the engine, and returns the directories.
func (l *listing) add(ctx context.Context, dir string, entries []client.Named) (subdirs []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := l.c.opt.Enc.ToStandardName(e.Name)
		if dir != "" {
			name = dir + "/" + name
		}
		r, ok := l.c.remote(name, e.Attrs)
		if !ok {
			continue
		}
		if e.IsDir() {
			subdirs = append(subdirs, name)
		}
		if err := l.fn(r); err != nil {
			return nil, err
		}
	}
	return subdirs, nil
}

// remote translates what the server has at name. false: that is not the engine's business.
func (c *connection) remote(name string, a client.Attrs) (remote.Object, bool) {
	if c.backup.Hides(name, a.IsDir()) {
		return remote.Object{}, false
	}
	kind := snapshot.File
	if a.IsDir() {
		kind = snapshot.Dir
	} else if link, ok := rclone.TrimLink(name); ok && c.links {
		name, kind = link, snapshot.Symlink
	}
	path, err := rclone.Decode(name)
	if err != nil {
		c.log.Warn("the remote has a name that no local file can have; it is left alone", "name", name)
		return remote.Object{}, false
	}
	return describe(path, kind, a), true
}

func describe(path string, kind snapshot.Kind, a client.Attrs) remote.Object {
	r := remote.Object{Path: path, Entry: snapshot.Entry{Kind: kind, Flags: snapshot.Adopted}}
	if kind != snapshot.Dir {
		_, last := snapshot.Split(path)
		r.Temporary = remote.IsTempName(last)
		r.Entry.Size, r.Entry.Mtime = int64(a.Size), int64(a.Mtime)*1e9
		if a.Mtime == 0 {
			r.Entry.Mtime = 1 // the epoch, to the precision of the protocol: 0 would say that the listing does not tell
		}
	}
	return r
}

// follow gives a link the attributes of what it leads to, as rclone does, or leaves it out if skip_links says so. A link
// that leads nowhere stays.
func (c *connection) follow(ctx context.Context, s *client.Session, dir string, entries []client.Named) ([]client.Named, error) {
	var at []int
	var requests []client.Request
	kept := entries[:0]
	for _, e := range entries {
		plain := e.IsDir() || e.IsRegular() || e.Mode == 0
		if !plain && c.opt.SkipLinks {
			continue
		}
		if kept = append(kept, e); !plain {
			at, requests = append(at, len(kept)-1), append(requests, client.Stat(under(dir, e.Name)))
		}
	}
	if len(at) == 0 {
		return kept, nil
	}
	replies, err := s.Do(ctx, requests...)
	if err != nil {
		return nil, err
	}
	for n, i := range at {
		if a, err := replies[n].Attrs(); err == nil {
			kept[i].Attrs = a
		}
	}
	return kept, nil
}

// Stat implements remote.Connection.
func (c *connection) Stat(ctx context.Context, path string) (r remote.Object, err error) {
	err = c.call(ctx, "stat", path, func(s *client.Session) error {
		a, kind, _, err := c.look(ctx, s, path)
		if err == nil {
			r = describe(path, kind, a)
		}
		return err
	})
	return r, err
}

// look finds what is at path: a file, a directory, or with --links the file that stands for a link.
func (c *connection) look(ctx context.Context, s *client.Session, path string) (client.Attrs, snapshot.Kind, string, error) {
	full := c.path(path)
	a, err := s.Stat(ctx, full)
	if err == nil && a.IsDir() {
		return a, snapshot.Dir, full, nil
	}
	if c.links && errors.Is(err, remote.ErrNotFound) {
		full = c.linkPath(path)
		a, err = s.Stat(ctx, full)
		return a, snapshot.Symlink, full, err
	}
	return a, snapshot.File, full, err
}

// Hash implements remote.Connection. The content is read back: rclone has the server's shell compute a hash, which
// costs a process per file, and many servers have no shell.
func (c *connection) Hash(ctx context.Context, path string, want snapshot.HashType) (t snapshot.HashType, h snapshot.Hash, err error) {
	err = c.call(ctx, "hash", path, func(s *client.Session) error {
		a, kind, full, err := c.look(ctx, s, path)
		if err != nil {
			return err
		}
		if kind == snapshot.Dir {
			return fmt.Errorf("%w: it is a directory", remote.ErrNotFound)
		}
		handle, err := s.Open(ctx, client.Open(full, client.FlagRead))
		if err != nil {
			return err
		}
		defer s.Send(client.Close(handle))
		r := &reader{ctx: ctx, s: s, handle: handle, left: int64(a.Size)}
		t, h, _, err = rclone.HashStream(ctx, r, want)
		return err
	})
	return t, h, err
}
