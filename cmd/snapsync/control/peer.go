package control

import (
	"context"
	"net"
	"sync"
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
