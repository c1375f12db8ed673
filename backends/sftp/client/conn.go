package client

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is the TCP connection of one session, and three things more:
//
//   - heard is when the server was last heard of.
//   - Until calm is set, what arrives is acknowledged at once. sshd lets a packet wait for the acknowledgement of the one
//     before, and systems acknowledge 40 ms later what is not answered: half of the time of a connect to a server nearby.
//   - Between cork and uncork, what is written is gathered. ssh makes packets of at most 32 KiB, and two writes of each:
//     the system calls and the wake-ups of the server were a tenth of what a large file cost.
type conn struct {
	net.Conn
	heard atomic.Int64 // in nanoseconds since the Unix epoch
	calm  atomic.Bool

	dialled sync.Mutex // a name with two addresses is dialled at both
	sockets []syscall.RawConn

	mu     sync.Mutex // guards what follows, and is held while it is written
	corked bool
	held   []byte
	late   *time.Timer // writes what is held, should the writer be stuck
	err    error       // of that
}

const (
	heldMost = 64 << 10
	// heldLong is how long bytes are held at most. ssh needs the server's permission for more bytes than its window, and
	// a server with a small one (Dropbear: 24 KiB) gives that only for bytes that have arrived.
	heldLong = time.Millisecond
)

// note is a net.Dialer's Control.
func (l *conn) note(_, _ string, socket syscall.RawConn) error {
	l.dialled.Lock()
	defer l.dialled.Unlock()
	l.sockets = append(l.sockets, socket)
	return nil
}

// Read implements net.Conn.
func (l *conn) Read(b []byte) (int, error) {
	if !l.calm.Load() {
		l.dialled.Lock()
		for _, s := range l.sockets {
			acknowledge(s)
		}
		l.dialled.Unlock()
	}
	n, err := l.Conn.Read(b)
	if n > 0 {
		l.beat()
	}
	return n, err
}

func (l *conn) beat() { l.heard.Store(time.Now().UnixNano()) }

// cork gathers what is written until uncork, heldMost bytes or heldLong.
func (l *conn) cork() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.corked = true
}

// uncork writes what was gathered.
func (l *conn) uncork() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.corked = false
	return l.flush()
}

// Write implements net.Conn. An error may be that of an earlier call.
func (l *conn) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return 0, l.err
	case !l.corked:
		return l.Conn.Write(b)
	case len(l.held) == 0 && l.late == nil:
		l.late = time.AfterFunc(heldLong, l.overdue)
	case len(l.held) == 0:
		l.late.Reset(heldLong)
	}
	if l.held = append(l.held, b...); len(l.held) < heldMost {
		return len(b), nil
	}
	return len(b), l.flush()
}

func (l *conn) overdue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.corked = false // the writer waits for the server, and would have to do so after each such piece
	_ = l.flush()    // the next call says it
}

// flush writes what is held. The caller has the lock.
func (l *conn) flush() error {
	if len(l.held) > 0 && l.err == nil {
		l.late.Stop()
		_, l.err = l.Conn.Write(l.held)
		l.held = l.held[:0]
	}
	return l.err
}
