package generic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
)

// Connection is the Connection over any fs.Fs. All fields are set by Open and constant.
type Connection struct {
	cfg *Config
	log *slog.Logger

	// rctx carries rclone's configuration and lives until Close: some backends keep it for what they
	// do on their own, such as refreshing a token.
	rctx   context.Context
	cancel context.CancelFunc
	calls  sync.WaitGroup // under way, those that were given up on included
	asking sync.Mutex     // held by the one call that asks for a sign of life
	warm   sync.Once      // before the first Send

	f      fs.Fs
	probe  fs.Fs  // the same remote, without retries
	backup fs.Fs  // where Backup moves files to; nil: nowhere
	hidden string // backup's root beneath f's, not listed; "" if it is elsewhere

	caps    remote.Caps
	hash    hash.Type // compared after a Send; hash.None: only the size is
	partial bool      // send to a temporary name, then rename
	local   bool      // the remote is on a local disk, beneath overlays
	kept    []string  // the directories of this machine that it is kept in; empty: elsewhere
	dups    bool      // several files can have one path
	telnet  bool      // names cannot hold byte 0xff: RFC 959 speaks telnet
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
	for _, f := range []fs.Fs{g.f, g.probe, g.backup} {
		if f == nil || f.Features().Shutdown == nil || f == g.backup && f == g.f {
			continue
		}
		if err := f.Features().Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close remote: %w", rclone.Classify(ctx, err)))
		}
	}
	return errors.Join(errs...)
}

// possible reports a path that would do harm on the way to this remote.
func (g *Connection) possible(path string) error {
	if g.telnet && strings.IndexByte(path, 0xff) >= 0 {
		return fmt.Errorf("%w: FTP cannot transmit the byte 0xff", remote.ErrInvalidName)
	}
	return nil
}
