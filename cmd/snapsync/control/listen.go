package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// A process listens on DIR/control.sock, where everybody looks for it, and if another process of the
// same user has that already, on DIR/control-PID.sock. Beside each socket is a file PATH.lock, which
// its process has flock'ed for as long as it lives: that tells a socket that is in use from one that a
// crash left, without a connection, and no two processes can take the same one for left over.
const (
	socketName     = "control.sock"
	socketPattern  = "control-*.sock"
	numberedSocket = "control-%d.sock"
)

// ErrInUse means that a living process has the socket.
var ErrInUse = errors.New("another process has the control socket")

// ErrTooLong means that the system cannot bind a socket in this directory.
var ErrTooLong = errors.New("the path of the control socket is too long")

// Listener is a control socket.
type Listener struct {
	net.Listener
	path string
	lock *flock.Flock
}

// Listen makes the directory, which must be the caller's and nobody else's to read, and a socket in it.
func Listen(dir string) (*Listener, error) {
	if err := secure(dir); err != nil {
		return nil, err
	}
	sweep(dir)
	l, err := ListenAt(filepath.Join(dir, socketName))
	if errors.Is(err, ErrInUse) {
		return ListenAt(filepath.Join(dir, fmt.Sprintf(numberedSocket, os.Getpid())))
	}
	return l, err
}

// ListenAt makes the socket, in place of one that a dead process left. ErrInUse, ErrTooLong.
func ListenAt(path string) (*Listener, error) {
	if len(path) > maxSocketPath() {
		return nil, fmt.Errorf("%w: %s has %d bytes, the system takes %d", ErrTooLong, path, len(path), maxSocketPath())
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock control socket: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	l, err := bind(path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Listener{Listener: l, path: path, lock: lock}, nil
}

// bind replaces what a dead process left. The caller has the lock. Between bind and chmod the socket
// has the umask's mode; the directory's keeps others out.
func bind(path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("look at control socket: %w", err)
	case info.Mode()&fs.ModeSocket == 0 && (runtime.GOOS != "windows" || info.Mode()&fs.ModeIrregular == 0): // as Windows shows sockets
		return nil, fmt.Errorf("%s is in the way and is no socket: move it away", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove a dead process's socket: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("make control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect control socket: %w", err), l.Close())
	}
	return l, nil
}

// Path is where the socket is.
func (l *Listener) Path() string { return l.path }

// Close removes the socket, then lets others have its place.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, l.lock.Close())
}

// Sockets returns the sockets in dir, the common one first. Some may be of dead processes.
func Sockets(dir string) []string {
	var found []string
	if _, err := os.Lstat(filepath.Join(dir, socketName)); err == nil {
		found = append(found, filepath.Join(dir, socketName))
	}
	numbered, _ := filepath.Glob(filepath.Join(dir, socketPattern)) // the pattern is right
	return append(found, numbered...)
}

// sweep removes what dead processes left under names with numbers, which nobody would take again.
func sweep(dir string) {
	locks, _ := filepath.Glob(filepath.Join(dir, socketPattern+".lock"))
	for _, path := range locks {
		lock := flock.New(path)
		if ok, err := lock.TryLock(); !ok || err != nil {
			continue
		}
		_ = os.Remove(path[:len(path)-len(".lock")])
		_ = os.Remove(path)
		_ = lock.Close()
	}
}

// secure makes a missing dir, and refuses one that others could have prepared.
func secure(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make directory of the control socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at directory of the control socket: %w", err)
	}
	if !info.IsDir() || !mine(info) {
		return fmt.Errorf("%w: %s is not a directory of this user", ErrForeign, dir)
	}
	if info.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("protect directory of the control socket: %w", err)
	}
	return nil
}

// Own reports whether dir is a directory of this user: XDG_RUNTIME_DIR may have come along through sudo,
// and what root makes in there is in its owner's way.
func Own(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && mine(info)
}

// mine reports whether this user owns what info describes, as far as the system tells.
func mine(info fs.FileInfo) bool {
	uid, known := owner(info)
	return !known || uid == os.Geteuid()
}

// maxSocketPath is what fits into sun_path with a zero at its end.
func maxSocketPath() int {
	if runtime.GOOS == "linux" || runtime.GOOS == "windows" {
		return 107
	}
	return 103
}
