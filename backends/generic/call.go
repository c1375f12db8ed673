package generic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// noticeTime is how long a call that was cancelled may take to notice, before it is left behind.
const noticeTime = time.Second

// caller bounds calls of rclone's: they return when their context is done, or when the remote is gone.
type caller struct {
	// rctx carries rclone's configuration and lives until Close: some backends keep it for what they
	// do on their own, such as refreshing a token.
	rctx   context.Context
	cancel context.CancelFunc
	wait   time.Duration  // with a remote that neither answers nor refuses
	probe  fs.Fs          // the remote, without retries
	calls  sync.WaitGroup // under way, those that were given up on included
	asking sync.Mutex     // held by the one call that asks for a sign of life
}

// do runs one call of the engine, see run, and asks the remote for a sign of life when the call takes long. A remote
// that is gone is an error at once: a backend, with all its retries behind one pacer, would take minutes to say so.
func (c *caller) do(ctx context.Context, call func(ctx context.Context) error) error {
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(firstDoubt, func() { c.watch(watched, cancel) })
	defer watch.Stop()
	err := c.run(watched, call)
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

// watch cancels a call when the remote refuses to talk. Silence proves nothing: the call itself may be what keeps the
// line busy.
func (c *caller) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	for wait := firstDoubt; ; wait = min(2*wait, lastDoubt) {
		if err := c.refused(ctx); err != nil {
			cancel(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// refused asks for a sign of life, unless another call is asking. An error means that nobody is there.
func (c *caller) refused(ctx context.Context) error {
	if !c.asking.TryLock() {
		return nil
	}
	defer c.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, signOfLife)
	defer cancel()
	err := c.run(ctx, func(ctx context.Context) error { return answers(ctx, c.probe) })
	if ctx.Err() != nil || !errors.Is(err, remote.ErrOffline) {
		return nil
	}
	return err
}

// run runs a call with rclone's configuration in its context. It returns soon after ctx is done, whatever the backend
// is stuck in; Close waits for a call that was left behind.
func (c *caller) run(ctx context.Context, call func(ctx context.Context) error) error {
	ctx = fs.CopyConfig(ctx, c.rctx)
	done := make(chan error, 1)
	c.calls.Go(func() { done <- call(ctx) })
	select {
	case err := <-done:
		return rclone.Classify(ctx, err)
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return rclone.Classify(ctx, err)
	case <-time.After(noticeTime):
		return ctx.Err()
	}
}

// answers asks for an object that does not exist, which is one request on most remotes. Any answer will do.
func answers(ctx context.Context, f fs.Fs) error {
	_, err := f.NewObject(ctx, ".snapsync-probe")
	if err = rclone.Classify(ctx, err); errors.Is(err, remote.ErrOffline) || ctx.Err() != nil {
		return err
	}
	return nil
}

// within runs a call that the remote must answer within wait: silence is an outage.
func (c *caller) within(ctx context.Context, call func(ctx context.Context) error) error {
	waiting, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	err := c.run(waiting, call)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: no answer within %v", remote.ErrOffline, c.wait)
	}
	return err
}
