package sftp

import (
	"context"
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// replace renames a file, over whatever file is there.
//
// Servers without posix-rename refuse if there is one. That file is removed, but only while the other is seen under its
// old name: a rename whose answer was lost has happened already, and the file at the new name may be the last copy. A
// crash after the removal leaves nothing at the new name, and the whole file at the old one.
func replace(ctx context.Context, s *client.Session, from, to string) error {
	if s.Server.PosixRename {
		return s.Status(ctx, client.Replace(from, to))
	}
	err := s.Status(ctx, client.Rename(from, to))
	if !client.HasCode(err, client.FXFailure, client.FXAlreadyExists, client.FXPermissionDenied) {
		return err
	}
	replies, lookErr := s.Do(ctx, client.Lstat(from), client.Lstat(to))
	if lookErr != nil {
		return err
	}
	_, noFrom := replies[0].Attrs()
	there, noTo := replies[1].Attrs()
	if errors.Is(noFrom, remote.ErrNotFound) {
		return noFrom // mod_sftp looks at the new name first
	}
	if noFrom != nil || noTo != nil || there.IsDir() {
		return err
	}
	if removeErr := s.Status(ctx, client.Remove(to)); removeErr != nil {
		return err
	}
	return s.Status(ctx, client.Rename(from, to))
}

// carry renames a file and makes the directory that it goes to. ErrNotFound means that from is gone.
func (c *connection) carry(ctx context.Context, s *client.Session, from, to string) error {
	first := true
	return c.dirs.within(ctx, s, to, func() error {
		err := replace(ctx, s, from, to)
		if first && errors.Is(err, remote.ErrNotFound) {
			if _, lookErr := s.Lstat(ctx, from); lookErr != nil {
				return &missing{from, lookErr}
			}
		}
		first = false
		return err
	})
}

// missing says that what was to be renamed is not there. It hides ErrNotFound from dirs.within, which would make
// directories.
type missing struct {
	name string
	err  error
}

func (m *missing) Error() string { return fmt.Sprintf("look at %q: %v", m.name, m.err) }

// plainly turns a missing back into what the server said.
func plainly(err error) error {
	var m *missing
	if errors.As(err, &m) {
		return fmt.Errorf("look at %q: %w", m.name, m.err)
	}
	return err
}

// Move implements remote.Connection. To look at the file before would take a round trip.
func (c *connection) Move(ctx context.Context, from, path string, dir bool, _ *snapshot.Entry) error {
	return c.call(ctx, fmt.Sprintf("move %q to", from), path, func(s *client.Session) error {
		if dir {
			return c.moveDir(ctx, s, c.path(from), c.path(path))
		}
		err := c.moveFile(ctx, s, c.path(from), c.path(path))
		if c.links && errors.Is(err, remote.ErrNotFound) {
			return c.moveFile(ctx, s, c.linkPath(from), c.linkPath(path))
		}
		return err
	})
}

func (c *connection) moveFile(ctx context.Context, s *client.Session, from, to string) error {
	return c.cannot(ctx, s, from, plainly(c.carry(ctx, s, from, to)))
}

// cannot finds out what client.FXFailure means for a rename. If from is still there, nothing happened, and trying again
// is no use: to may be on another file system, for which version 3 has no code.
func (c *connection) cannot(ctx context.Context, s *client.Session, from string, err error) error {
	if !client.HasCode(err, client.FXFailure, client.FXUnsupported) {
		return err
	}
	if _, lookErr := s.Lstat(ctx, from); lookErr != nil {
		return err
	}
	return fmt.Errorf("%w: %w", remote.ErrCannotMove, err)
}

// moveDir refuses a destination that exists. rename(2), and so some servers, would replace an empty one.
func (c *connection) moveDir(ctx context.Context, s *client.Session, from, to string) error {
	replies, err := s.Do(ctx, client.Lstat(from), client.Lstat(to))
	if err != nil {
		return err
	}
	if _, err := replies[0].Attrs(); err != nil {
		return err
	}
	if _, err := replies[1].Attrs(); err == nil {
		return fmt.Errorf("%w: there is something at the destination", remote.ErrCannotMove)
	}
	err = c.dirs.within(ctx, s, to, func() error { return s.Status(ctx, client.Rename(from, to)) })
	if err != nil {
		return c.cannot(ctx, s, from, err)
	}
	c.dirs.forget(from)
	c.dirs.note(to, found)
	return nil
}

// Backup implements remote.Connection.
func (c *connection) Backup(ctx context.Context, path string) error {
	if c.backup == nil {
		return fmt.Errorf("back up %q: %w: neither --backup-dir nor --suffix was given", path, remote.ErrFatal)
	}
	return c.call(ctx, "back up", path, func(s *client.Session) error {
		kinds := []snapshot.Kind{snapshot.File}
		if c.links {
			kinds = append(kinds, snapshot.Symlink)
		}
		for _, kind := range kinds {
			name := rclone.RemoteName(path, kind)
			at := func(name string) string { return under(c.backupRoot, c.opt.Enc.FromStandardPath(name)) }
			err := c.backup.Move(name, func(to string) error {
				return plainly(c.carry(ctx, s, c.full(name), at(to)))
			}, func(to string, err error) int {
				if errors.Is(err, remote.ErrNotFound) {
					return 0
				}
				is := func(dir bool) func(string) bool {
					return func(name string) bool {
						a, err := s.Lstat(ctx, at(name))
						return err == nil && a.IsDir() == dir
					}
				}
				return rclone.Collision(to, is(false), is(true))
			})
			if !errors.Is(err, remote.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

// Copy implements remote.Connection, which never calls it: Caps.Copy is false.
func (c *connection) Copy(_ context.Context, _, path string, _ snapshot.Entry, _ *snapshot.Entry) error {
	return fmt.Errorf("copy to %q: %w: SFTP has no copies", path, remote.ErrFatal)
}

// Touch implements remote.Connection.
func (c *connection) Touch(ctx context.Context, path string, e snapshot.Entry, _ *snapshot.Entry) error {
	return c.call(ctx, "set mtime of", path, func(s *client.Session) error {
		err := s.Status(ctx, client.SetTimes(c.path(path), e.ModTime().Unix()))
		if c.links && errors.Is(err, remote.ErrNotFound) {
			err = s.Status(ctx, client.SetTimes(c.linkPath(path), e.ModTime().Unix()))
		}
		if refusesTimes(err) && !c.noTimes.Load() {
			return fmt.Errorf("%w: %w", remote.ErrCannotMove, err) // a file of another account, perhaps: sent, it is ours
		}
		return c.timed(err)
	})
}

// Mkdir implements remote.Connection.
func (c *connection) Mkdir(ctx context.Context, path string) error {
	return c.call(ctx, "make directory", path, func(s *client.Session) error { return c.dirs.makeDir(ctx, s, c.path(path)) })
}

// Rmdir implements remote.Connection.
func (c *connection) Rmdir(ctx context.Context, path string) error {
	return c.call(ctx, "remove directory", path, func(s *client.Session) error {
		full := c.path(path)
		err := s.Status(ctx, client.Rmdir(full))
		if err == nil || errors.Is(err, remote.ErrNotFound) {
			c.dirs.drop(full)
			return nil
		}
		// Version 3 has no code for "not empty".
		if client.HasCode(err, client.FXFailure) {
			if entries, lookErr := s.ReadDir(ctx, full); lookErr == nil && len(entries) > 0 {
				return fmt.Errorf("%w: %w", remote.ErrNotEmpty, err)
			}
		}
		return err
	})
}

// deleteBatch is how many files are removed in one batch.
const deleteBatch = 256

// Delete implements remote.Connection.
func (c *connection) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	todo := make([]int, len(paths))
	for i := range todo {
		todo[i] = i
	}
	full := c.path
	for range 2 {
		c.remove(ctx, paths, full, todo, errs)
		// What was not found under its name may be a link, which has another.
		var links []int
		for _, i := range todo {
			if errors.Is(errs[i], remote.ErrNotFound) {
				links, errs[i] = append(links, i), nil
			}
		}
		if !c.links || len(links) == 0 {
			break
		}
		todo, full = links, c.linkPath
	}
	for i, err := range errs {
		if errors.Is(err, remote.ErrNotFound) {
			err = nil
		}
		if errs[i] = err; err != nil {
			errs[i] = fmt.Errorf("delete %q: %w", paths[i], rclone.Classify(ctx, err))
		}
	}
	return errs
}

// remove removes the paths of todo in one batch and notes what became of each.
func (c *connection) remove(ctx context.Context, paths []string, full func(string) string, todo []int, errs []error) {
	requests := make([]client.Request, len(todo))
	for n, i := range todo {
		requests[n] = client.Remove(full(paths[i]))
	}
	s, err := c.pool.Get(ctx)
	var replies []client.Reply
	if err == nil {
		replies, err = s.Do(ctx, requests...)
		c.pool.Put(s)
	}
	for n, i := range todo {
		if errs[i] = err; err == nil {
			errs[i] = replies[n].Status()
		}
	}
}

// Cleanup implements remote.Connection.
func (c *connection) Cleanup(ctx context.Context, path string) error {
	return c.call(ctx, "clean up after", path, func(s *client.Session) error {
		err := s.Status(ctx, client.Remove(c.partial(path)))
		if err != nil && !errors.Is(err, remote.ErrNotFound) {
			return err
		}
		if c.uploads == nil {
			return nil
		}
		return c.uploads.EndUpload(path)
	})
}
