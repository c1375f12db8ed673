package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

const (
	// callsPerSession is how many calls share a session before another one is dialled for the next.
	callsPerSession = 8
	// refusalPause is how long a server that refused a further connection is left alone, be it for sshd's MaxStartups, a
	// firewall's limit or a provider's rule.
	refusalPause = time.Minute
)

var errClosed = errors.New("closed")

// Pool keeps the sessions to one server. The first is dialled when it is needed, and waited for. Others, up to most, are
// dialled when there is a crowd, and nothing waits for them. One that was idle for long is closed.
type Pool struct {
	dial     func(ctx context.Context) (*Session, error) // bounded by the pool
	most     int
	patience time.Duration // with a server that does not answer
	idle     time.Duration // 0: never closed
	log      *slog.Logger

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	work   sync.WaitGroup // dials, the sweeper, and the ends of sessions

	mu       sync.Mutex // guards what follows, and the leases of sessions
	sessions []*Session
	dialling *dialling // under way; nil: none
	refused  time.Time // when a further connection was refused last

	refusals atomic.Int64 // of opens
}

// lease tells who has a session. It is the pool's, under its lock.
type lease struct {
	users int       // the calls that the session was lent to
	idle  time.Time // when users became 0
}

// dialling is one attempt to connect, which any number of calls may wait for.
type dialling struct {
	done chan struct{}
	s    *Session // unless err is set
	err  error
}

func NewPool(dial func(context.Context) (*Session, error), most int, patience, idle time.Duration, log *slog.Logger) *Pool {
	p := &Pool{dial: dial, most: most, patience: patience, idle: idle, log: log}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if idle > 0 {
		p.work.Go(p.sweep)
	}
	return p
}

// Get lends a session; put gives it back. An error is ErrOffline, or says why the server is of no use.
func (p *Pool) Get(ctx context.Context) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for {
		s, d := p.pick()
		if s != nil {
			return s, nil
		}
		select {
		case <-d.done:
			if d.err != nil {
				return nil, d.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pick returns the least busy session, or else what to wait for.
func (p *Pool) pick() (*Session, *dialling) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *Session
	alive := p.sessions[:0]
	for _, s := range p.sessions {
		select {
		case <-s.ended:
			p.work.Go(s.Close)
			continue
		default:
		}
		alive = append(alive, s)
		if best == nil || s.users < best.users {
			best = s
		}
	}
	clear(p.sessions[len(alive):])
	p.sessions = alive
	first := best == nil
	crowded := first || best.users >= callsPerSession && len(alive) < p.most && time.Since(p.refused) > refusalPause
	if crowded && p.dialling == nil {
		d := &dialling{done: make(chan struct{})}
		p.dialling = d
		p.work.Go(func() { p.connect(d, first) })
	}
	if first {
		return nil, p.dialling
	}
	best.users++
	return best, nil
}

// Refusals returns how often since the last call the server had no room for one more open file.
func (p *Pool) Refusals() int64 { return p.refusals.Swap(0) }

func (p *Pool) Put(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.users--; s.users == 0 {
		s.idle = time.Now()
	}
}

// connect makes one session. d is p.dialling until then.
func (p *Pool) connect(d *dialling, first bool) {
	ctx, cancel := context.WithTimeout(p.ctx, p.patience)
	defer cancel()
	d.s, d.err = p.dial(ctx)
	if d.err != nil && ctx.Err() != nil {
		d.err = fmt.Errorf("%w: no answer within %v", remote.ErrOffline, p.patience)
	}
	if p.ctx.Err() != nil {
		d.err = errClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(d.done)
	p.dialling = nil
	switch {
	case d.err == nil:
		d.s.Budget.handles.refusals = &p.refusals
		d.s.Start(p.patience)
		p.sessions = append(p.sessions, d.s)
	case d.s != nil:
		d.s.end(d.err)
	case !first:
		p.refused = time.Now()
		p.log.Debug("no further connection to the server", "have", len(p.sessions), "err", d.err)
	}
}

// sweep closes sessions that nobody has used for long.
func (p *Pool) sweep() {
	tick := time.NewTicker(max(p.idle/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range p.idlers() {
			s.Close()
		}
	}
}

// idlers takes the sessions out that are to be closed.
func (p *Pool) idlers() (idle []*Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.sessions[:0]
	for _, s := range p.sessions {
		if s.users == 0 && time.Since(s.idle) > p.idle {
			idle = append(idle, s)
		} else {
			kept = append(kept, s)
		}
	}
	clear(p.sessions[len(kept):])
	p.sessions = kept
	return idle
}

// Close ends all sessions. What is in flight fails.
func (p *Pool) Close() {
	p.cancel()
	p.work.Wait()
	p.mu.Lock()
	sessions := p.sessions
	p.sessions = nil
	p.mu.Unlock()
	for _, s := range sessions {
		s.Close()
	}
}
