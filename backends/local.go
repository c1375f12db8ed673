package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rclone/rclone/lib/file"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// local is the Connection to a plain directory of this machine. What it leaves is what rclone's
// local backend leaves: names as they are, symbolic links as links, mtimes in full, files created
// with mode 0666 less the umask.
//
// A file is written under remote.PartialName, given its mtime, and renamed. To flush each one to the
// disk would cost more than all the rest: until Flush, a power cut may leave the last files missing
// or empty although they were acknowledged. Caps.Volatile says so.
type local struct {
	root  string // absolute
	links bool   // symbolic links are files of their own; otherwise they are not listed, as in rclone
	caps  remote.Caps
	seen  atomic.Pointer[remote.Place] // of root, when Places was last asked; nil: never
}

var _ remote.Connection = (*local)(nil)

// openLocal only looks: a directory that does not exist is made by the first Send.
func openLocal(root string, links bool) (*local, error) {
	info, err := os.Stat(root)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("open remote: %w: %q is a file, not a directory", remote.ErrFatal, root)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open remote: %w", rclone.Classify(context.Background(), err))
	}
	return &local{root: root, links: links, caps: remote.Caps{
		Move: true, DirMove: true, SetModTime: true, EmptyDirs: true, Volatile: true,
		Precision:       precision(root),
		CaseInsensitive: ignoresCase(root),
	}}, nil
}

func (l *local) Caps() remote.Caps               { return l.caps }
func (l *local) Probe(ctx context.Context) error { return ctx.Err() }
func (l *local) Throttled() int64                { return 0 }
func (l *local) Close() error                    { return nil }

// Flush implements remote.Connection. A root that does not exist holds nothing to flush.
func (l *local) Flush(ctx context.Context) error {
	err := syncDisk(l.root)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return rclone.Wrap(ctx, err, "flush the disk of %q", l.root)
}

func (l *local) path(path string) string {
	return filepath.Join(l.root, filepath.FromSlash(path))
}

// Places implements remote.Connection.
func (l *local) Places() ([]remote.Place, error) {
	p, err := remote.FindPlace(l.root)
	if err != nil {
		return nil, rclone.Wrap(context.Background(), err, "look at %q", l.root)
	}
	l.seen.Store(&p)
	return []remote.Place{p}, nil
}

// present fails if root went away since Places was asked: its disk was unmounted, say. To make
// directories then would fill another one.
func (l *local) present() error {
	was := l.seen.Load()
	if was == nil || !was.There {
		return nil
	}
	if now, err := snapshot.Identify(l.root); err != nil || now.Dev != was.Root.Dev {
		return fmt.Errorf("%w: %s is not there any more", remote.ErrOffline, l.root)
	}
	return nil
}

// within runs op, and once more after making the parents of target if they are what is missing.
// Nearly always they are there, so asking first would cost a call per file.
func (l *local) within(target string, op func() error) error {
	err := op()
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := l.present(); err != nil {
		return err
	}
	if err := file.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return err
	}
	return op()
}

// Send implements remote.Connection.
func (l *local) Send(ctx context.Context, path string, src remote.Source) error {
	e := src.Entry()
	final, partial := l.path(path), l.path(remote.PartialName(path))
	in, err := src.Open()
	if err != nil {
		return fmt.Errorf("send %q: %w", path, err)
	}
	defer in.Close()
	if e.Kind == snapshot.Symlink && l.links {
		err = l.writeLink(partial, in)
	} else {
		err = l.writeFile(ctx, partial, in, e.Size)
	}
	if err == nil {
		err = setMtime(partial, e.ModTime())
	}
	if err == nil {
		err = os.Rename(partial, final)
	}
	if err != nil {
		_ = os.Remove(partial)
	}
	return rclone.Wrap(ctx, err, "send %q", path)
}

// preallocateFrom is the size from which reserving the space pays, as it keeps large files whole.
const preallocateFrom = 1 << 20

func (l *local) writeFile(ctx context.Context, name string, in io.Reader, size int64) error {
	f, err := l.create(name)
	if err != nil {
		return err
	}
	// This reserves space and leaves the file's size alone, on every system: on Linux rclone always has
	// FALLOC_FL_KEEP_SIZE, on Windows it sets the allocation, elsewhere nothing. Else a power cut could
	// leave zeros that a check of the size would take for the file.
	if size >= preallocateFrom {
		if err := file.PreAllocate(size, f); errors.Is(err, file.ErrDiskFull) {
			return errors.Join(fmt.Errorf("%w: %w", remote.ErrQuota, err), f.Close())
		}
	}
	n, err := rclone.Copy(ctx, f, in, size)
	if err == nil && n != size {
		err = fmt.Errorf("%w: got %d bytes instead of %d", snapshot.ErrChanged, n, size)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// create makes a new file. What an interrupted Send left there is not written into but removed: it
// could be a link to anywhere.
func (l *local) create(name string) (f *os.File, err error) {
	err = l.within(name, func() error {
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, os.ErrExist) && os.Remove(name) == nil {
			f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		}
		return err
	})
	return f, err
}

// maxTarget is more than any system allows in a symbolic link.
const maxTarget = 128 << 10

func (l *local) writeLink(name string, in io.Reader) error {
	target, err := io.ReadAll(io.LimitReader(in, maxTarget))
	if err != nil {
		return err
	}
	return l.within(name, func() error {
		err := os.Symlink(string(target), name)
		if errors.Is(err, os.ErrExist) && os.Remove(name) == nil {
			err = os.Symlink(string(target), name)
		}
		return err
	})
}

// Copy implements remote.Connection: it is never asked for, since a copy here costs what a Send does.
func (l *local) Copy(ctx context.Context, from, path string, _ snapshot.Entry) error {
	return rclone.Wrap(ctx, remote.ErrCannotMove, "copy %q to %q", from, path)
}

// Move implements remote.Connection.
func (l *local) Move(ctx context.Context, from, path string, dir bool) error {
	old, target := l.path(from), l.path(path)
	return rclone.Wrap(ctx, l.move(old, target, dir), "move %q to %q", from, path)
}

func (l *local) move(old, target string, dir bool) error {
	info, err := os.Lstat(old)
	if err != nil {
		return err
	}
	if info.IsDir() != dir {
		return fmt.Errorf("%w: what is there is %v", remote.ErrNotFound, info.Mode().Type())
	}
	if dir {
		// rename would replace an empty directory without a word.
		if other, err := os.Lstat(target); err == nil && !os.SameFile(info, other) {
			return fmt.Errorf("%w: the destination exists", remote.ErrCannotMove)
		}
	}
	return l.within(target, func() error { return os.Rename(old, target) })
}

// Touch implements remote.Connection.
func (l *local) Touch(ctx context.Context, path string, e snapshot.Entry) error {
	return rclone.Wrap(ctx, setMtime(l.path(path), e.ModTime()), "set mtime of %q", path)
}

// Mkdir implements remote.Connection.
func (l *local) Mkdir(ctx context.Context, path string) error {
	err := l.present()
	if err == nil {
		err = file.MkdirAll(l.path(path), 0o777)
	}
	return rclone.Wrap(ctx, err, "make directory %q", path)
}

// Delete implements remote.Connection.
func (l *local) Delete(ctx context.Context, paths []string) []error {
	errs := make([]error, len(paths))
	for i, path := range paths {
		if errs[i] = rclone.Wrap(ctx, ctx.Err(), "delete %q", path); errs[i] != nil {
			continue
		}
		err := removeFile(l.path(path))
		if missing(err) {
			err = nil
		}
		errs[i] = rclone.Wrap(ctx, err, "delete %q", path)
	}
	return errs
}

// missing reports that a path is not there, be it because what should be its parent is a file.
func missing(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Backup implements remote.Connection: with a backup directory the generic Connection is used.
func (l *local) Backup(ctx context.Context, path string) error {
	return rclone.Wrap(ctx, remote.ErrCannotMove, "back up %q", path)
}

// Rmdir implements remote.Connection.
func (l *local) Rmdir(ctx context.Context, path string) error {
	err := removeDir(l.path(path))
	if missing(err) {
		return nil
	}
	if errors.Is(err, iofs.ErrExist) { // what POSIX allows instead of ENOTEMPTY
		err = fmt.Errorf("%w: %w", remote.ErrNotEmpty, err)
	}
	return rclone.Wrap(ctx, err, "remove directory %q", path)
}

// Cleanup implements remote.Connection.
func (l *local) Cleanup(ctx context.Context, path string) error {
	err := os.Remove(l.path(remote.PartialName(path)))
	if missing(err) {
		return nil
	}
	return rclone.Wrap(ctx, err, "clean up after %q", path)
}

// Stat implements remote.Connection.
func (l *local) Stat(ctx context.Context, path string) (remote.Object, error) {
	info, err := os.Lstat(l.path(path))
	if missing(err) {
		err = remote.ErrNotFound
	}
	if err == nil {
		if r, ok := l.remote(path, info); ok {
			return r, nil
		}
		err = remote.ErrNotFound
	}
	return remote.Object{}, rclone.Wrap(ctx, err, "stat %q", path)
}

// remote describes what is at path, if it is something that can be synced.
func (l *local) remote(path string, info os.FileInfo) (remote.Object, bool) {
	_, name := snapshot.Split(path)
	r := remote.Object{Path: path, Temporary: remote.IsTempName(name)}
	r.Entry = snapshot.Entry{Flags: snapshot.Adopted}
	switch info.Mode().Type() {
	case 0:
		r.Entry.Kind, r.Entry.Size = snapshot.File, info.Size()
	case os.ModeDir:
		r.Entry.Kind, r.Temporary = snapshot.Dir, false
		return r, true
	case os.ModeSymlink:
		if !l.links {
			return r, false
		}
		r.Entry.Kind, r.Entry.Size = snapshot.Symlink, info.Size()
		if runtime.GOOS == "windows" {
			target, _ := os.Readlink(l.path(path))
			r.Entry.Size = int64(len(target))
		}
	default:
		return r, false
	}
	r.Entry.Mtime = info.ModTime().Truncate(l.caps.Precision).UnixNano()
	return r, true
}

// ignoresCase reports whether a and A are the same file in dir, by looking at something that exists:
// nothing may be written before there is a plan.
func ignoresCase(dir string) bool {
	if d, err := os.Open(dir); err == nil {
		names, _ := d.Readdirnames(64)
		d.Close()
		for _, name := range names {
			if same, ok := sameInOtherCase(dir, name); ok {
				return same
			}
		}
	}
	for up := dir; filepath.Dir(up) != up; up = filepath.Dir(up) {
		if same, ok := sameInOtherCase(filepath.Dir(up), filepath.Base(up)); ok {
			return same
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin"
}

// sameInOtherCase compares name with its spelling in other letters; ok is false if it tells nothing.
func sameInOtherCase(dir, name string) (same, ok bool) {
	other := strings.ToUpper(name)
	if other == name {
		other = strings.ToLower(name)
	}
	info, err := os.Lstat(filepath.Join(dir, name))
	if err != nil || other == name {
		return false, false
	}
	twin, err := os.Lstat(filepath.Join(dir, other))
	if err != nil {
		return false, errors.Is(err, os.ErrNotExist)
	}
	return os.SameFile(info, twin), true
}

// coarse is the precision of file systems of which not more is known.
const coarse = 2 * time.Second
