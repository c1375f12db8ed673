package generic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// grace is how long a call that was cancelled may take to notice, before it is left behind.
const grace = time.Second

// do runs one call of the engine, see run, and asks the remote for a sign of life if that takes long.
// One that is gone is an error at once: a backend would wait, with all its retries behind one pacer,
// for minutes until it says so.
func (g *Connection) do(ctx context.Context, call func(ctx context.Context) error) error {
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(firstDoubt, func() { g.watch(watched, cancel) })
	defer watch.Stop()
	err := g.run(watched, call)
	if cause := context.Cause(watched); err != nil && ctx.Err() == nil && errors.Is(cause, remote.ErrOffline) {
		return cause
	}
	return err
}

const (
	firstDoubt = 2 * time.Second // a call that takes so long may be waiting for nobody
	lastDoubt  = time.Minute     // between the later questions
	signOfLife = time.Second     // a remote that is only slow gets the benefit of the doubt
)

// watch ends a call with cancel when the remote refuses to talk. Silence proves nothing, since the
// call itself may be what keeps the line busy.
func (g *Connection) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	for wait := firstDoubt; ; wait = min(2*wait, lastDoubt) {
		if err := g.refused(ctx); err != nil {
			cancel(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// refused asks for a sign of life, unless another call is asking, and returns an error if the remote
// answers that nobody is there.
func (g *Connection) refused(ctx context.Context) error {
	if !g.asking.TryLock() {
		return nil
	}
	defer g.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, signOfLife)
	defer cancel()
	err := g.run(ctx, func(ctx context.Context) error { return answers(ctx, g.probe) })
	if ctx.Err() != nil || !errors.Is(err, remote.ErrOffline) {
		return nil
	}
	return err
}

// run runs a call with rclone's configuration in its context, and so that it returns soon after ctx
// is done, whatever the backend is stuck in. Such a call is waited for by Close.
func (g *Connection) run(ctx context.Context, call func(ctx context.Context) error) error {
	ctx = fs.CopyConfig(ctx, g.rctx)
	done := make(chan error, 1)
	g.calls.Go(func() { done <- call(ctx) })
	select {
	case err := <-done:
		return rclone.Classify(ctx, err)
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return rclone.Classify(ctx, err)
	case <-time.After(grace):
		return ctx.Err()
	}
}

// answers asks for an object that does not exist: one request on most remotes. Any answer will do.
func answers(ctx context.Context, f fs.Fs) error {
	_, err := f.NewObject(ctx, ".snapsync-probe")
	if err = rclone.Classify(ctx, err); errors.Is(err, remote.ErrOffline) || ctx.Err() != nil {
		return err
	}
	return nil
}

// within runs a call that a remote must answer within cfg.Wait: silence is an outage.
func (g *Connection) within(ctx context.Context, call func(ctx context.Context) error) error {
	waiting, cancel := context.WithTimeout(ctx, g.cfg.Wait)
	defer cancel()
	err := g.run(waiting, call)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: no answer within %v", remote.ErrOffline, g.cfg.Wait)
	}
	return err
}
