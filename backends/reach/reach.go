package reach

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fshttp"

	"github.com/snapsync/snapsync/backends/rclone"
)

// Of returns a function that tells, within a second and without a request, whether the servers of a remote take calls: it
// connects and hangs up, and may be called often while a remote is away, by one goroutine. Its nil is a reason to probe,
// no more.
//
// Overlays are seen through: all the servers beneath have to answer. Of returns nil for directories of this machine, for
// remotes that are reached through another program or a proxy, and where rclone's configuration names no server.
func Of(ctx context.Context, target string, o rclone.Options, log *slog.Logger) func(ctx context.Context) error {
	if err := rclone.Init(ctx, rclone.Settings{Log: log}); err != nil {
		return nil
	}
	rctx, err := rclone.Context(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil
	}
	p := &servers{hosts: hostsOf(fs.GetConfig(rctx), target, rclone.MaxNesting), dial: fshttp.NewDialer(rctx).DialContext}
	if len(p.hosts) == 0 {
		return nil
	}
	return p.call
}

const (
	limit = time.Second
	// A server that takes a call and does not say a word is called again after twice as long each time.
	firstSilence, maxSilence = 2 * time.Second, 10 * time.Second
)

// servers are those of one remote.
type servers struct {
	hosts []*host
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

// host is one of them.
type host struct {
	address string // host:port
	// greets: it speaks first. A call that is taken is then no proof: what takes it may be a proxy before
	// a server that is down.
	greets bool

	silence time.Duration // how long it is left alone since it took a call in silence; 0: it did not
	since   time.Time     // when that was
}

func (h *host) String() string {
	if h.greets {
		return h.address + " greets"
	}
	return h.address
}

// call calls one server after the other. The one that does not answer is the first to be called the next
// time, so that those that are well are left alone.
func (p *servers) call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for i, h := range p.hosts {
		if err := h.call(ctx, p.dial); err != nil {
			p.hosts[0], p.hosts[i] = h, p.hosts[0]
			return fmt.Errorf("call %s: %w", h.address, err)
		}
	}
	return nil
}

var errSilent = errors.New("it takes calls and says nothing")

func (h *host) call(ctx context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	if time.Since(h.since) < h.silence {
		return errSilent
	}
	conn, err := dial(ctx, "tcp", h.address)
	if err != nil {
		h.silence = 0
		return err
	}
	defer conn.Close()
	if !h.greets {
		return nil
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		h.silence = min(max(2*h.silence, firstSilence), maxSilence)
		h.since = time.Now()
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	h.silence = 0
	return nil
}
