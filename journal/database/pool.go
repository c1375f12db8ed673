package database

import (
	"errors"
	"fmt"
	"sync"
)

// maxIdle bounds how many idle connections are kept: more at once are possible.
const maxIdle = 8

// pool hands out connections for reading. It may be used from any goroutine; a connection that it
// handed out belongs to the taker.
type pool struct {
	open func() (Conn, error)

	mu     sync.Mutex
	idle   []Conn
	out    int
	closed bool
}

func (p *pool) take() (Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return Conn{}, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.out++
		return c, nil
	}
	c, err := p.open()
	if err == nil {
		p.out++
	}
	return c, err
}

func (p *pool) give(c Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out--
	if p.closed || len(p.idle) >= maxIdle {
		c.Close()
		return
	}
	p.idle = append(p.idle, c)
}

// close closes what is idle. Connections that are still out are the mistake of whoever took them.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	for _, c := range p.idle {
		err = errors.Join(err, c.Close())
	}
	p.idle, p.closed = nil, true
	if p.out > 0 {
		err = errors.Join(err, fmt.Errorf("%d cursors are still open", p.out))
	}
	return err
}

// Read runs fn on a connection for reading: each statement sees what was committed last. op says what is attempted, for messages.
func (db *DB) Read(op string, fn func(Conn) error) error {
	c, err := db.readers.take()
	if err != nil {
		return db.Fail(op, err)
	}
	defer db.readers.give(c)
	return db.Fail(op, fn(c))
}
