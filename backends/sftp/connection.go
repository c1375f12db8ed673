package sftp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

func init() { backends.Accelerate("sftp", open) }

// connection is the engine's Connection to one SFTP server. All fields are set by open and constant, but for noTimes;
// pool and dirs guard what is in them.
type connection struct {
	opt      *options
	links    bool // symbolic links are sent as such, under rclone's names
	uploads  remote.Uploads
	identity string // where uploads are valid
	log      *slog.Logger

	backup     *backends.BackupLocation // where Backup moves files to; nil: nowhere
	backupRoot string                   // the full path of its root

	server *client.Config
	pool   *client.Pool
	dirs   dirs

	section string      // the remote's name in rclone's configuration
	at      string      // its path, as it was written
	noTimes atomic.Bool // the server refused to set times, and that was said
}

var _ remote.Connection = (*connection)(nil)

// transfers is how many files the engine should have under way. A small one takes three round trips: 128 at once let
// 1,000 a second through with 20 ms each way. On loopback 64 were slower as well.
const transfers = 128

// open is a backends.Accelerator.
func open(ctx, rctx context.Context, d *backends.Details) (remote.Connection, error) {
	if err := d.Understand(rctx, understood...); err != nil {
		return nil, err
	}
	opt, err := readOptions(d.Options)
	if err != nil {
		return nil, err
	}
	cfg := d.Config
	server, err := opt.server(rctx, cfg.StateDir, cfg.Log)
	if err != nil {
		return nil, err
	}
	c := &connection{
		opt: opt, links: cfg.Rclone.Links, uploads: cfg.Uploads, backup: d.Backup, log: cfg.Log, server: server,
		section: d.Section, at: d.Root,
	}
	c.pool = client.NewPool(c.connect, opt.Connections, cfg.Wait, time.Duration(opt.IdleTimeout), cfg.Log)
	if err := c.findRoot(ctx, d); err != nil {
		c.pool.Close()
		return nil, err
	}
	c.identity = fmt.Sprintf("sftp:%s@%s:%s", opt.User, opt.address(), c.dirs.root)
	return c, nil
}

// connect makes a session for the pool.
func (c *connection) connect(ctx context.Context) (*client.Session, error) {
	s, err := client.Dial(ctx, c.server)
	if errors.Is(err, client.ErrLogin) {
		err = c.opt.refused(c.section, err)
	}
	return s, rclone.Classify(ctx, err)
}

// findRoot makes the paths of the remote and of its backups full, and looks whether the remote's is there.
func (c *connection) findRoot(ctx context.Context, d *backends.Details) error {
	s, err := c.pool.Get(ctx)
	if err != nil {
		return err
	}
	defer c.pool.Put(s)
	if c.dirs.root, err = c.absolute(ctx, s, d.Root); err != nil {
		return err
	}
	if c.backup != nil {
		if c.backupRoot, err = c.absolute(ctx, s, c.backup.Root); err != nil {
			return err
		}
	}
	there, err := s.Stat(ctx, c.dirs.root)
	switch {
	case errors.Is(err, remote.ErrNotFound):
		c.dirs.rootIs.Store(rootMissing)
		return nil
	case err != nil && client.HasCode(err, client.FXPermissionDenied):
		return nil // the first step that is refused says so
	case err != nil:
		return fmt.Errorf("look at %q: %w", c.dirs.root, err)
	case !there.IsDir():
		return fmt.Errorf("%w: %q is a file, not a directory", remote.ErrFatal, c.dirs.root)
	}
	c.dirs.rootIs.Store(rootThere)
	return nil
}

// absolute resolves a path as rclone does. The server is asked for the path itself and, if it has none, for the
// directory after the log-in.
func (c *connection) absolute(ctx context.Context, s *client.Session, root string) (string, error) {
	at := c.opt.Enc.FromStandardPath(root)
	if path.IsAbs(at) {
		return path.Clean(at), nil
	}
	full, err := s.Realpath(ctx, at)
	if err == nil {
		return full, nil
	}
	if !client.IsRefusal(err) {
		return "", err
	}
	here, err := s.Realpath(ctx, ".")
	if err != nil {
		return "", fmt.Errorf("ask for the directory after the log-in: %w", err)
	}
	return path.Join(here, at), nil
}

// Caps implements remote.Connection.
func (c *connection) Caps() remote.Caps {
	return remote.Caps{
		Move: true, DirMove: true, SetModTime: true, Precision: time.Second, Mtimes: remote.MtimeRange{Wraps: true}, EmptyDirs: true,
		Resume: c.uploads != nil, Backup: c.backup != nil, DeleteBatch: deleteBatch, Transfers: transfers,
		NamesUnknown: true,
	}
}

// full is the path on the server of what rclone calls name beneath the root.
func (c *connection) full(name string) string {
	return under(c.dirs.root, c.opt.Enc.FromStandardPath(name))
}

// path is the path on the server of a path of the engine.
func (c *connection) path(path string) string { return c.full(rclone.Encode(path)) }

// linkPath is where the symbolic link at a path of the engine is kept.
func (c *connection) linkPath(path string) string {
	return c.full(rclone.RemoteName(path, snapshot.Symlink))
}

// partial is where the content of a path is put together.
func (c *connection) partial(path string) string { return c.path(remote.PartialName(path)) }

func under(root, name string) string {
	if name == "" {
		return root
	}
	return strings.TrimSuffix(root, "/") + "/" + name
}

// call runs one call of the engine on a session, and says what failed.
func (c *connection) call(ctx context.Context, what, path string, do func(s *client.Session) error) error {
	s, err := c.pool.Get(ctx)
	if err == nil {
		err = do(s)
		c.pool.Put(s)
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", what, path, rclone.Classify(ctx, c.denied(err)))
	}
	return nil
}

// Places implements remote.Connection: the remote's directory, as it was when the connection was opened or the
// directory made. A server whose disk is not mounted has none.
func (c *connection) Places() ([]remote.Place, error) {
	is := c.dirs.rootIs.Load()
	if is == rootUnseen {
		return nil, nil
	}
	p := remote.Place{Path: fmt.Sprintf("the directory %q of %s", c.dirs.root, c.opt.address())}
	if is == rootThere {
		p.There, p.Root = true, snapshot.Identity{Ino: 1}
	}
	return []remote.Place{p}, nil
}

// Probe implements remote.Connection.
func (c *connection) Probe(ctx context.Context) error {
	return c.call(ctx, "probe", c.dirs.root, func(s *client.Session) error {
		_, err := s.Realpath(ctx, ".")
		return err
	})
}

// Throttled implements remote.Connection: SFTP has no words for too many requests, but servers have limits on open files.
// The pool sees how many connections a server takes.
func (c *connection) Throttled() int64 { return c.pool.Refusals() }

// Flush implements remote.Connection.
//
// Neither it nor Send asks the server to write to its disk (fsync@openssh.com). rclone, rsync and scp do not either:
// per file that would cost more than everything else. A server that loses power may lose the files of its last
// seconds, from whatever program.
func (c *connection) Flush(ctx context.Context) error { return ctx.Err() }

// Close implements remote.Connection.
func (c *connection) Close() error {
	c.pool.Close()
	return nil
}

// explain finds out what client.FXFailure means for a write: version 3 has no other code for a full or a read-only file
// system. Only some servers tell about those.
func (c *connection) explain(ctx context.Context, s *client.Session, err error, size int64) error {
	if !client.HasCode(err, client.FXFailure) || !s.Server.StatVFS || ctx.Err() != nil {
		return err
	}
	replies, askErr := s.Do(ctx, client.StatSpace(c.dirs.root))
	if askErr != nil {
		return err
	}
	switch has, askErr := replies[0].Space(); {
	case askErr != nil:
		return err
	case has.ReadOnly:
		return fmt.Errorf("%w: the file system is read-only: %w", remote.ErrPermission, err)
	case has.Free < uint64(size), has.Files > 0 && has.FreeFiles == 0:
		return fmt.Errorf("%w: %w", remote.ErrQuota, err)
	}
	return err
}
