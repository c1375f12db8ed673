package sftp

import (
	"net"
	"sync"
	"testing"
	"time"
)

// link is a line to a server that can be long, broken or dead.
type link struct {
	address string // where to connect to
	server  string
	latency time.Duration // each way

	mu    sync.Mutex
	dead  bool // takes everything, delivers nothing
	sent  int64
	limit int64 // cuts the line after so many bytes to the server; 0: never
	conns []net.Conn
}

func startLink(t *testing.T, server string, latency time.Duration) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &link{address: l.Addr().String(), server: server, latency: latency}
	t.Cleanup(func() {
		_ = l.Close()
		k.cut()
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", k.server)
			if err != nil {
				_ = near.Close()
				continue
			}
			k.mu.Lock()
			k.conns = append(k.conns, near, far)
			k.mu.Unlock()
			go k.carry(far, near, true)
			go k.carry(near, far, false)
		}
	}()
	return k
}

// carry moves bytes one way, each piece after its latency.
func (k *link) carry(to, from net.Conn, out bool) {
	type piece struct {
		b  []byte
		at time.Time
	}
	pieces := make(chan piece, 10_000)
	go func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.at))
			if _, err := to.Write(p.b); err != nil {
				return
			}
		}
	}()
	defer close(pieces)
	for {
		b := make([]byte, 64<<10)
		n, err := from.Read(b)
		if err != nil {
			return
		}
		k.mu.Lock()
		if out {
			k.sent += int64(n)
		}
		dead, over := k.dead, k.limit > 0 && k.sent > k.limit
		k.mu.Unlock()
		if over {
			k.cut()
			return
		}
		if !dead {
			pieces <- piece{b[:n], time.Now().Add(k.latency)}
		}
	}
}

// cut breaks every connection.
func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	k.conns = nil
}

func (k *link) setDead(dead bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = dead
}

// sever cuts the line once so many more bytes went to the server; 0: never.
func (k *link) sever(after int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sent, k.limit = 0, after
}

func (k *link) bytes() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sent
}
