package control

import (
	"context"
	"net"
	"os"
	"sync"
)

// peer is the process at the other end of a connection.
type peer struct {
	uid   int
	known bool // the system tells
}

// allowed is the owner of this process, and root, who can do anything without us. Where the system
// does not tell, the modes of the socket and its directory have to do.
func (p *peer) allowed() bool { return !p.known || p.uid == 0 || p.uid == os.Geteuid() }

type peerKey struct{}

// withPeer is called once for each connection.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if h, ok := c.(*heldConn); ok {
		c = h.Conn
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	uid, known := peerUID(u)
	return context.WithValue(ctx, peerKey{}, &peer{uid, known})
}

// limited bounds how many connections are open at once: the next ones wait in the system's queue.
func limited(l net.Listener, n int) net.Listener {
	return &limitedListener{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

type limitedListener struct {
	net.Listener
	slots  chan struct{}
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

// heldConn gives back its place when it is closed.
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
