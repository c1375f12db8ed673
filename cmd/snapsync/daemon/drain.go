package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// drain lets uploads that are under way when the process is told to stop end by themselves for a while:
// what is nearly done need not begin anew. Everything else is cancelled at once, as ever.
type drain struct {
	until atomic.Pointer[time.Time] // nil: it has not begun
}

// begin is called just before the mappings' contexts are cancelled.
func (g *drain) begin(d time.Duration) {
	end := time.Now().Add(d)
	g.until.CompareAndSwap(nil, &end)
}

func (g *drain) begun() bool { return g.until.Load() != nil }

func (g *drain) left() time.Duration {
	if end := g.until.Load(); end != nil {
		return time.Until(*end)
	}
	return 0
}

// extend returns a context that is done when ctx is, or with the grace after it. The function must be
// called when it is not needed any more.
func (g *drain) extend(ctx context.Context) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if left := g.left(); left > 0 {
			time.AfterFunc(left, cancel)
			return
		}
		cancel()
	})
	return longer, func() { stop(); cancel() }
}

// graceful is a Connection whose Sends have that grace.
type graceful struct {
	remote.Connection
	grace *drain
}

// Send implements remote.Connection.
func (c *graceful) Send(ctx context.Context, path string, src remote.Source) error {
	if err := ctx.Err(); err != nil {
		return err // grace is for what has begun
	}
	ctx, done := c.grace.extend(ctx)
	defer done()
	return c.Connection.Send(ctx, path, src)
}
