package journal

import (
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
)

// maxIdle bounds how many idle connections are kept: more cursors at once are possible.
const maxIdle = 8

// pool hands out connections for reading. It may be used from any goroutine; a connection that it
// handed out belongs to the taker.
type pool struct {
	open func() (*sqlite.Conn, error)

	mu     sync.Mutex
	idle   []*sqlite.Conn
	out    int
	closed bool
}

func (p *pool) take() (*sqlite.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
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

func (p *pool) give(c *sqlite.Conn) {
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

// read runs fn on a connection for reading: it sees what was committed last.
func (j *Journal) read(op string, fn func(c *sqlite.Conn) error) error {
	c, err := j.readers.take()
	if err != nil {
		return j.fail(op, err)
	}
	defer j.readers.give(c)
	return j.fail(op, fn(c))
}
