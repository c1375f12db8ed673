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

// Connection is the Connection over any fs.Fs. All fields are set by Open and constant.
type Connection struct {
	target
	caller
	backup backup

	cfg  *Config
	kept []string  // the directories of this machine that the remote is kept in; empty: elsewhere
	warm sync.Once // before the first Send
}

var _ remote.Connection = (*Connection)(nil)

func (g *Connection) Caps() remote.Caps { return g.caps }

// Places implements remote.Connection.
func (g *Connection) Places() (places []remote.Place, err error) {
	for _, dir := range g.kept {
		p, err := remote.FindPlace(dir)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return places, nil
}

// Probe implements remote.Connection.
func (g *Connection) Probe(ctx context.Context) error {
	err := g.within(ctx, func(ctx context.Context) error { return answers(ctx, g.probe) })
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

const (
	drainTimeout = 2 * time.Second // for calls that do not notice that they were cancelled
	closeTimeout = 5 * time.Second // for what a backend does at its end
)

// Throttled implements remote.Connection: rclone repeats such requests without a word.
func (g *Connection) Throttled() int64 { return 0 }

// Flush implements remote.Connection: what rclone's remotes promise, they promise when they answer.
func (g *Connection) Flush(ctx context.Context) error { return ctx.Err() }

// Close implements remote.Connection.
func (g *Connection) Close() error {
	g.cancel()
	idle := make(chan struct{})
	go func() { g.calls.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-time.After(drainTimeout):
		g.log.Debug("a request to the remote did not end; left behind", "remote", g.cfg.Name)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(g.rctx), closeTimeout)
	defer cancel()
	var errs []error
	for _, f := range []fs.Fs{g.f, g.probe, g.backup.f} {
		if f == nil || f.Features().Shutdown == nil || f == g.backup.f && f == g.f {
			continue
		}
		if err := f.Features().Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close remote: %w", rclone.Classify(ctx, err)))
		}
	}
	return errors.Join(errs...)
}
