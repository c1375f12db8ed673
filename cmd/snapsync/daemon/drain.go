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

// start begins the drain, which lasts for limit: just before the mappings' contexts are cancelled.
func (d *drain) start(limit time.Duration) {
	end := time.Now().Add(limit)
	d.until.CompareAndSwap(nil, &end)
}

func (d *drain) begun() bool { return d.until.Load() != nil }

// extend returns a context that is done when ctx is, but not before the drain has ended. The function must be called when
// the context is not needed any more.
func (d *drain) extend(ctx context.Context) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if end := d.until.Load(); end != nil {
			time.AfterFunc(time.Until(*end), cancel)
			return
		}
		cancel()
	})
	return longer, func() { stop(); cancel() }
}

// drained is a Connection whose Sends go on while the process drains.
type drained struct {
	remote.Connection
	drain *drain
}

// Send implements remote.Connection.
func (c *drained) Send(ctx context.Context, path string, src remote.Source) error {
	if err := ctx.Err(); err != nil {
		return err // a drain is for what has begun
	}
	ctx, done := c.drain.extend(ctx)
	defer done()
	return c.Connection.Send(ctx, path, src)
}
