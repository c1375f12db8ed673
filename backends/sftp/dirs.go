package sftp

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
)

// presence is what is known of the remote's directory.
type presence = int32

const (
	rootUnseen presence = iota // the server did not let us look
	rootMissing
	rootThere
)

// dirs remembers which directories of the server exist, by their full path there, so that a file costs no request for
// its parents. A request that fails for want of a parent corrects what was remembered.
type dirs struct {
	root   string       // the remote's own directory
	rootIs atomic.Int32 // what is known of root: a presence

	mu     sync.Mutex
	known  map[string]origin
	making singleflight.Group
}

// origin tells where the knowledge of a directory comes from.
type origin byte

const (
	unknown origin = iota
	found          // the directory was there
	made           // by this Connection, as was all that is beneath
)

// maxKnown bounds what is remembered. Beyond it everything is forgotten, and learned again.
const maxKnown = 200_000

func (d *dirs) origin(dir string) origin {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[dir]
}

func (d *dirs) note(dir string, o origin) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxKnown {
		d.known = make(map[string]origin)
	}
	if d.known[dir] == unknown {
		d.known[dir] = o
	}
}

// drop forgets a directory that has nothing in it.
func (d *dirs) drop(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, dir)
}

// forget forgets dir and what is beneath it, which costs a look at everything known.
func (d *dirs) forget(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for known := range d.known {
		if known == dir || strings.HasPrefix(known, dir+"/") {
			delete(d.known, known)
		}
	}
}

// expectMissing reports that dir is very likely not there: the nearest known directory above was made by this
// Connection.
func (d *dirs) expectMissing(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ; dir != "/" && dir != "."; dir = path.Dir(dir) {
		if o := d.known[dir]; o != unknown {
			return o == made
		}
	}
	return false
}

// within runs do, which needs the directory of name and returns ErrNotFound without. The directory is then made, or
// before do if it cannot be there yet.
func (d *dirs) within(ctx context.Context, s *client.Session, name string, do func() error) error {
	dir := path.Dir(name)
	known := d.origin(dir)
	if known == unknown && d.expectMissing(dir) {
		if err := d.makeDir(ctx, s, dir); err != nil {
			return err
		}
		known = made
	}
	err := do()
	if errors.Is(err, remote.ErrNotFound) {
		if known != unknown {
			d.forget(dir) // somebody has removed it
		}
		if err := d.makeDir(ctx, s, dir); err != nil {
			return err
		}
		err = do()
	}
	if err == nil {
		d.note(dir, found)
	}
	return err
}

// makeDir makes sure that dir exists, and its parents. Of many that want the same only one asks.
func (d *dirs) makeDir(ctx context.Context, s *client.Session, dir string) error {
	for d.origin(dir) == unknown {
		_, err, shared := d.making.Do(dir, func() (any, error) { return nil, d.mkdirAll(ctx, s, dir) })
		if err != nil && shared && ctx.Err() == nil && errors.Is(err, context.Canceled) {
			continue // it was another call that was cancelled
		}
		if err != nil {
			return fmt.Errorf("make directory %q: %w", dir, err)
		}
	}
	return nil
}

func (d *dirs) mkdirAll(ctx context.Context, s *client.Session, dir string) error {
	if err := d.lost(ctx, s, dir); err != nil {
		return err
	}
	err := s.Status(ctx, client.Mkdir(dir))
	if errors.Is(err, remote.ErrNotFound) {
		if up := path.Dir(dir); up != dir {
			d.forget(up)
			if err := d.makeDir(ctx, s, up); err != nil {
				return err
			}
			err = s.Status(ctx, client.Mkdir(dir))
		}
	}
	if err == nil {
		d.there(dir, made)
		return nil
	}
	// Version 3 has no code for "exists".
	if !client.IsRefusal(err) {
		return err
	}
	is, statErr := s.Stat(ctx, dir)
	switch {
	case statErr != nil:
		return err
	case !is.IsDir():
		return fmt.Errorf("%w: there is a file of that name", err)
	}
	d.there(dir, found)
	return nil
}

// lost returns an error if dir, which is to be made, is the remote's own and was there. What it held is gone, or its disk
// is not mounted, and the engine has to know.
func (d *dirs) lost(ctx context.Context, s *client.Session, dir string) error {
	if dir != d.root || d.rootIs.Load() != rootThere {
		return nil
	}
	if _, err := s.Stat(ctx, dir); !errors.Is(err, remote.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("%w: the remote's directory, which was there, is gone", remote.ErrFatal)
}

// there notes a directory that was to be made.
func (d *dirs) there(dir string, o origin) {
	d.note(dir, o)
	if dir == d.root {
		d.rootIs.Store(rootThere)
	}
}
