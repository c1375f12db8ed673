package local

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Connection is the Connection to a plain directory of this machine. What it leaves is what rclone's
// local backend leaves: names as they are, symbolic links as links, mtimes in full, files created
// with mode 0666 less the umask.
//
// To flush each file to the disk would cost more than all the rest.
type Connection struct {
	root  string // absolute
	links bool   // symbolic links are files of their own; otherwise they are not listed, as in rclone
	caps  remote.Caps
	seen  atomic.Pointer[remote.Place] // of root, when Places was last asked; nil: never
}

var _ remote.Connection = (*Connection)(nil)

// Open only looks: a directory that does not exist is made by the first Send.
func Open(root string, links bool) (*Connection, error) {
	info, err := os.Stat(root)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("open remote: %w: %q is a file, not a directory", remote.ErrFatal, root)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open remote: %w", rclone.Classify(context.Background(), err))
	}
	return &Connection{root: root, links: links, caps: remote.Caps{
		Move: true, DirMove: true, SetModTime: true, EmptyDirs: true, Volatile: true,
		Precision:       precision(root),
		Mtimes:          mtimes(precision(root)),
		CaseInsensitive: ignoresCase(root),
		NamesUnknown:    true,
	}}, nil
}

func (l *Connection) Caps() remote.Caps               { return l.caps }
func (l *Connection) Probe(ctx context.Context) error { return ctx.Err() }
func (l *Connection) Throttled() int64                { return 0 }
func (l *Connection) Close() error                    { return nil }

// Flush implements remote.Connection. A root that does not exist holds nothing to flush.
func (l *Connection) Flush(ctx context.Context) error {
	err := syncDisk(l.root)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return rclone.Wrap(ctx, err, "flush the disk of %q", l.root)
}

func (l *Connection) path(path string) string {
	return filepath.Join(l.root, filepath.FromSlash(path))
}

// Places implements remote.Connection.
func (l *Connection) Places() ([]remote.Place, error) {
	p, err := remote.FindPlace(l.root)
	if err != nil {
		return nil, rclone.Wrap(context.Background(), err, "look at %q", l.root)
	}
	l.seen.Store(&p)
	return []remote.Place{p}, nil
}

// present fails if root went away since Places was asked, such as with its disk. Directories made then would fill another
// disk.
func (l *Connection) present() error {
	was := l.seen.Load()
	if was == nil || !was.There {
		return nil
	}
	if now, err := snapshot.Identify(l.root); err != nil || now.Dev != was.Root.Dev {
		return fmt.Errorf("%w: %s is not there any more", remote.ErrOffline, l.root)
	}
	return nil
}

// Copy implements remote.Connection. Nobody asks for one: here it would cost what a Send does.
func (l *Connection) Copy(ctx context.Context, from, path string, _ snapshot.Entry, _ *snapshot.Entry) error {
	return rclone.Wrap(ctx, remote.ErrCannotMove, "copy %q to %q", from, path)
}

// Move implements remote.Connection.
func (l *Connection) Move(ctx context.Context, from, path string, dir bool, was *snapshot.Entry) error {
	return rclone.Wrap(ctx, l.move(from, path, dir, was), "move %q to %q", from, path)
}

func (l *Connection) move(from, path string, dir bool, was *snapshot.Entry) error {
	return l.in(from, func(d *folder, name string) error {
		there, err := l.look(d, name, was)
		if err != nil {
			return err
		}
		if there.kind.IsDir() != dir {
			return fmt.Errorf("%w: what is there is %v", remote.ErrNotFound, there.kind)
		}
		return l.within(path, func(to *folder, target string) error {
			if dir {
				// rename would replace an empty directory without a word.
				if other, err := to.lstat(target); err == nil && !there.same(&other) {
					return fmt.Errorf("%w: the destination exists", remote.ErrCannotMove)
				}
			}
			return d.rename(name, to, target)
		})
	})
}

// look returns what name in d is, if that can be was.
func (l *Connection) look(d *folder, name string, was *snapshot.Entry) (found, error) {
	f, err := d.lstat(name)
	if err != nil || was == nil {
		return f, err
	}
	if there, ok := l.object(d, name, name, &f); !ok || l.caps.Contradicts(was, &there.Entry) {
		return f, remote.ErrAnother
	}
	return f, nil
}

// Touch implements remote.Connection.
func (l *Connection) Touch(ctx context.Context, path string, e snapshot.Entry, was *snapshot.Entry) error {
	err := l.in(path, func(d *folder, name string) error {
		_, err := l.look(d, name, was)
		if err == nil {
			err = d.setMtime(name, e.ModTime())
		}
		return err
	})
	return rclone.Wrap(ctx, err, "set mtime of %q", path)
}

// Mkdir implements remote.Connection.
func (l *Connection) Mkdir(ctx context.Context, path string) error {
	return rclone.Wrap(ctx, l.makeDir(path), "make directory %q", path)
}

// Delete implements remote.Connection.
func (l *Connection) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	for i, path := range paths {
		if errs[i] = rclone.Wrap(ctx, ctx.Err(), "delete %q", path); errs[i] != nil {
			continue
		}
		err := l.in(path, (*folder).removeFile)
		if missing(err) {
			err = nil
		}
		errs[i] = rclone.Wrap(ctx, err, "delete %q", path)
	}
	return errs
}

// Backup implements remote.Connection: with a backup directory the generic Connection is used.
func (l *Connection) Backup(ctx context.Context, path string) error {
	return rclone.Wrap(ctx, remote.ErrCannotMove, "back up %q", path)
}

// Rmdir implements remote.Connection.
func (l *Connection) Rmdir(ctx context.Context, path string) error {
	err := l.in(path, (*folder).removeDir)
	if missing(err) {
		return nil
	}
	if errors.Is(err, iofs.ErrExist) { // what POSIX allows instead of ENOTEMPTY
		err = fmt.Errorf("%w: %w", remote.ErrNotEmpty, err)
	}
	return rclone.Wrap(ctx, err, "remove directory %q", path)
}

// Cleanup implements remote.Connection.
func (l *Connection) Cleanup(ctx context.Context, path string) error {
	err := l.in(remote.PartialName(path), (*folder).removeFile)
	if missing(err) {
		return nil
	}
	return rclone.Wrap(ctx, err, "clean up after %q", path)
}

// mtimes are those that file systems of a precision keep. ext4 with small inodes and XFS without bigtime end in 2038; which
// they are nobody tells.
func mtimes(precision time.Duration) remote.MtimeRange {
	if precision == coarse {
		return remote.MtimeRange{From: 315_532_800, Until: 4_354_819_199} // FAT: 1980 to 2107
	}
	return remote.MtimeRange{From: -1 << 31, Until: 1<<31 - 1}
}

// coarse is the precision of file systems of which not more is known.
const coarse = 2 * time.Second
