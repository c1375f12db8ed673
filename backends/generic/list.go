package generic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rclone/rclone/fs"
	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// listings numbers the groups in which rclone counts the errors of one listing.
var listings atomic.Int64

// isMissingRoot reports that the directory which is missing is the root, where nothing was sent yet.
func isMissingRoot(err error) bool {
	return errors.Is(err, fs.ErrorDirNotFound) && !errors.Is(err, errVanished)
}

var errVanished = fmt.Errorf("a directory vanished while it was listed: %w", remote.ErrTemporary)

// listing is one List under way.
type listing struct {
	g *Connection

	mu   sync.Mutex // guards what follows, and keeps fn from being called concurrently
	fn   func(remote.Object) error
	seen map[string]bool // only where several files can have one name
	any  bool            // something was found
}

// rootIsMissing reports that a directory which ListR did not find is the root. ListR does not tell which one it was, and
// may keep back what it found before: so the root is asked for.
func (l *listing) rootIsMissing(ctx context.Context) bool {
	l.mu.Lock()
	any := l.any
	l.mu.Unlock()
	if any {
		return false
	}
	_, err := l.g.f.List(ctx, "")
	return errors.Is(err, fs.ErrorDirNotFound)
}

// walk lists the tree from the root, at most Checkers directories at a time.
func (l *listing) walk(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, fs.GetConfig(ctx).Checkers))
	var visit func(dir string) error
	visit = func(dir string) error {
		entries, err := l.g.f.List(ctx, dir)
		if err != nil {
			if dir != "" && errors.Is(err, fs.ErrorDirNotFound) {
				err = fmt.Errorf("%w: %w", errVanished, err)
			}
			return fmt.Errorf("directory %q: %w", dir, err)
		}
		if err := l.add(ctx, entries); err != nil {
			return err
		}
		for _, e := range entries {
			sub, ok := e.(fs.Directory)
			if !ok || l.g.backup.hides(sub.Remote()) {
				continue
			}
			next := func() error { return visit(sub.Remote()) }
			if group.TryGo(next) {
				continue
			}
			if err := next(); err != nil { // all workers are busy: go down ourselves
				return err
			}
		}
		return nil
	}
	group.Go(func() error { return visit("") })
	return group.Wait()
}

// add hands entries on. What needs a request for each is asked in parallel.
func (l *listing) add(ctx context.Context, entries fs.DirEntries) error {
	l.mu.Lock()
	l.any = l.any || len(entries) > 0
	l.mu.Unlock()
	found := make([]*remote.Object, len(entries))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, fs.GetConfig(ctx).Checkers))
	for i, e := range entries {
		if l.g.f.Features().SlowModTime {
			group.Go(func() (err error) { found[i], err = l.remote(gctx, e); return err })
			continue
		}
		var err error
		if found[i], err = l.remote(ctx, e); err != nil {
			return err
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range found {
		if r == nil || l.duplicate(r) {
			continue
		}
		if err := l.fn(*r); err != nil {
			return err
		}
	}
	return nil
}

// duplicate reports that a file of this name was listed already.
func (l *listing) duplicate(r *remote.Object) bool {
	if !l.g.dups {
		return false
	}
	if l.seen[r.Path] {
		l.g.log.Warn("the remote has several files of one name; `rclone dedupe` tidies up", "path", r.Path)
		return true
	}
	l.seen[r.Path] = true
	return false
}

// remote translates one entry; nil stands for what is not the engine's business.
func (l *listing) remote(ctx context.Context, e fs.DirEntry) (*remote.Object, error) {
	name := e.Remote()
	if l.g.backup.hides(name) {
		return nil, nil
	}
	o, isFile := e.(fs.Object)
	kind := snapshot.Dir
	if isFile {
		kind = snapshot.File
		if link, ok := rclone.TrimLink(name); ok && l.g.links {
			name, kind = link, snapshot.Symlink
		}
		if o.Size() < 0 || l.g.backup.suffix != nil && l.g.backup.suffix(name) {
			return nil, nil // no file of ours: a document without bytes, or set aside by Backup
		}
	}
	path, err := rclone.Decode(name)
	if err != nil {
		l.g.log.Warn("the remote has a name that no local file can have; it is left alone", "name", name)
		return nil, nil
	}
	_, last := snapshot.Split(path)
	r := &remote.Object{Path: path, Entry: snapshot.Entry{Kind: kind, Flags: snapshot.Adopted}}
	if isFile {
		r.Temporary = remote.IsTempName(last)
		err = l.g.describe(ctx, o, r)
	}
	return r, err
}
