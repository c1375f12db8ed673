package generic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Copy implements remote.Connection.
func (g *Connection) Copy(ctx context.Context, from, path string, e snapshot.Entry, was *snapshot.Entry) error {
	err := g.do(ctx, func(ctx context.Context) error {
		src, err := g.same(ctx, from, was)
		if err != nil {
			return err
		}
		if !g.caps.Copy {
			return fs.ErrorCantCopy
		}
		name := rclone.RemoteName(path, e.Kind)
		o, err := g.replace(ctx, g.f, src, name, g.f.Features().Copy)
		if err != nil {
			return err
		}
		if !g.caps.SetModTime {
			return nil
		}
		return g.setMtime(ctx, o, &e)
	})
	if err != nil {
		return fmt.Errorf("copy %q to %q: %w", from, path, err)
	}
	return nil
}

// Move implements remote.Connection.
func (g *Connection) Move(ctx context.Context, from, path string, dir bool, was *snapshot.Entry) error {
	err := g.do(ctx, func(ctx context.Context) error {
		if err := g.possible(path); err != nil {
			return err
		}
		if dir {
			return g.moveDir(ctx, rclone.Encode(from), rclone.Encode(path))
		}
		return g.moveFile(ctx, from, path, was)
	})
	if err != nil {
		return fmt.Errorf("move %q to %q: %w", from, path, err)
	}
	return nil
}

func (g *Connection) moveFile(ctx context.Context, from, path string, was *snapshot.Entry) error {
	if !g.caps.Move {
		return fs.ErrorCantMove
	}
	src, err := g.same(ctx, from, was)
	if err != nil {
		return err
	}
	name := rclone.Encode(path)
	if g.links && strings.HasSuffix(src.Remote(), fs.LinkSuffix) && !strings.HasSuffix(from, fs.LinkSuffix) {
		name += fs.LinkSuffix
	}
	_, err = g.replace(ctx, g.f, src, name, g.f.Features().Move)
	return err
}

// moveDir looks afterwards what a failure meant: backends have many words for "not there", and FTP one for everything.
func (g *Connection) moveDir(ctx context.Context, from, path string) error {
	if !g.caps.DirMove {
		return fs.ErrorCantDirMove
	}
	err := g.f.Features().DirMove(ctx, g.f, from, path)
	if err == nil || rclone.ClassOf(err) != nil && !gone(ctx, err) {
		return err
	}
	if _, listErr := g.f.List(ctx, from); listErr == nil {
		return err
	} else if gone(ctx, listErr) {
		return fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return err
}

// Touch implements remote.Connection.
func (g *Connection) Touch(ctx context.Context, path string, e snapshot.Entry, was *snapshot.Entry) error {
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.same(ctx, path, was)
		if err != nil {
			return err
		}
		if g.caps.SetMetadata {
			if err := setMetadata(ctx, g.cfg.Source, path, o, e.Kind); err != nil {
				return err
			}
		}
		g.keepBits(path, &e)
		return g.setMtime(ctx, o, &e)
	})
	if err != nil {
		return fmt.Errorf("set mtime of %q: %w", path, err)
	}
	return nil
}

// setMtime gives o the mtime of e, unless it has the same: setting may mean copying the object. An mtime that only may
// be the same is set: on a remote that rounds down it could otherwise stay one second off for good.
func (g *Connection) setMtime(ctx context.Context, o fs.Object, e *snapshot.Entry) error {
	if g.caps.SameMtime(&snapshot.Entry{Mtime: o.ModTime(ctx).UnixNano()}, e) {
		return nil
	}
	return o.SetModTime(ctx, e.ModTime())
}

// Mkdir implements remote.Connection.
func (g *Connection) Mkdir(ctx context.Context, path string) error {
	if !g.caps.EmptyDirs {
		return nil
	}
	err := g.do(ctx, func(ctx context.Context) error { return g.f.Mkdir(ctx, rclone.Encode(path)) })
	if err != nil {
		return fmt.Errorf("make directory %q: %w", path, err)
	}
	return nil
}

// Delete implements remote.Connection.
func (g *Connection) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	for i, path := range paths {
		if errs[i] = rclone.Wrap(ctx, ctx.Err(), "delete %q", path); errs[i] != nil {
			continue
		}
		err := g.do(ctx, func(ctx context.Context) error {
			o, err := g.object(ctx, path)
			if err == nil {
				err = o.Remove(ctx)
			}
			return err
		})
		if err != nil && !errors.Is(err, remote.ErrNotFound) {
			errs[i] = fmt.Errorf("delete %q: %w", path, err)
		}
	}
	return errs
}

// Rmdir implements remote.Connection. After a failure the directory is looked at: FTP, for one, says the same of one
// that is missing and of one that is not empty.
func (g *Connection) Rmdir(ctx context.Context, path string) error {
	if !g.caps.EmptyDirs {
		return nil
	}
	err := g.do(ctx, func(ctx context.Context) error {
		err := g.f.Rmdir(ctx, rclone.Encode(path))
		if err == nil {
			return nil
		}
		entries, listErr := g.f.List(ctx, rclone.Encode(path))
		switch {
		case listErr != nil && gone(ctx, listErr):
			return nil
		case listErr == nil && len(entries) > 0:
			return fmt.Errorf("%w: %w", remote.ErrNotEmpty, err)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove directory %q: %w", path, err)
	}
	return nil
}

// Cleanup implements remote.Connection.
func (g *Connection) Cleanup(ctx context.Context, path string) error {
	if !g.partial {
		return nil
	}
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.f.NewObject(ctx, rclone.Encode(remote.PartialName(path)))
		if err == nil {
			err = o.Remove(ctx)
		}
		return err
	})
	if err != nil && !errors.Is(err, remote.ErrNotFound) {
		return fmt.Errorf("clean up after %q: %w", path, err)
	}
	return nil
}

// Backup implements remote.Connection. A path that is missing at the first look is no error. Missing later, the file
// got lost on its way.
func (g *Connection) Backup(ctx context.Context, path string) error {
	err := g.do(ctx, func(ctx context.Context) error {
		o, err := g.object(ctx, path)
		if errors.Is(err, remote.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		return g.moveAway(ctx, o)
	})
	if err != nil {
		return fmt.Errorf("back up %q: %w", path, err)
	}
	return nil
}

// moveAway moves a file to its backup's name. A crash between copy and removal leaves both, and the next Backup of the
// path copies once more.
func (g *Connection) moveAway(ctx context.Context, o fs.Object) error {
	ft := g.backup.f.Features()
	return rclone.BackUp(ctx, o.Remote(), func(name string) error {
		if ft.Move != nil {
			_, err := g.replace(ctx, g.backup.f, o, name, ft.Move)
			return err
		}
		if _, err := g.replace(ctx, g.backup.f, o, name, ft.Copy); err != nil {
			return err
		}
		return o.Remove(ctx)
	}, func(name string, _ error) int { return g.backup.inTheWay(ctx, name) })
}
