package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// peerKey is where the context of a request has the user id of who asks, if the system tells.
type peerKey struct{}

// withPeer is called once for each connection.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if h, ok := c.(*heldConn); ok {
		c = h.Conn
	}
	if u, ok := c.(*net.UnixConn); ok {
		if uid, known := peerUID(u); known {
			return context.WithValue(ctx, peerKey{}, uid)
		}
	}
	return ctx
}

// dialOwn connects to the socket at path if its directory, the socket and who listens are this user's or root's. What one of
// the directories of Dirs holds may be a stranger's, who was there first. Root also asks the user who owns the states.
func dialOwn(ctx context.Context, path, stateRoot string) (net.Conn, error) {
	for _, p := range []string{filepath.Dir(path), path} {
		info, err := os.Lstat(p)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
		if uid, known := owner(info); known && !trusted(uid, stateRoot) {
			return nil, fmt.Errorf("%w: %s", ErrForeign, p)
		}
	}
	c, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	if uid, known := peerUID(c.(*net.UnixConn)); known && !trusted(uid, stateRoot) {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrForeign, path), c.Close())
	}
	return c, nil
}

// trusted reports whether a process of a user may be asked about the states beneath stateRoot.
func trusted(uid int, stateRoot string) bool {
	me := os.Geteuid()
	if uid == me || uid == 0 || me != 0 {
		return uid == me || uid == 0
	}
	info, err := os.Stat(stateRoot)
	if err != nil {
		return false
	}
	of, known := owner(info)
	return known && uid == of
}

// limitedListener bounds how many connections are open at once: the next ones wait in the system's queue.
type limitedListener struct {
	net.Listener
	slots  chan struct{} // one element for each connection
	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &heldConn{Conn: c, release: func() { <-l.slots }}, nil
}

// Close implements net.Listener.
func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// heldConn gives back its slot when it is closed.
type heldConn struct {
	net.Conn
	once    sync.Once
	release func()
}

// Close implements net.Conn.
func (c *heldConn) Close() error {
	defer c.once.Do(c.release)
	return c.Conn.Close()
}
