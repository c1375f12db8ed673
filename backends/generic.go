package backends

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/hash"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// generic is the Connection over any fs.Fs. All fields are set by Open and constant.
type generic struct {
	cfg *genericConfig
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

var _ remote.Connection = (*generic)(nil)

// quirk is what rclone's features do not tell about a backend.
type quirk struct {
	removes  bool // a failed upload removes what was there before
	noTouch  bool // the mtime can only be set by sending again
	fakeCopy bool // the copy is a hard link
	buckets  bool // known before opening, see withSlash
	telnet   bool // byte 0xff means a command to the server
}

var quirks = map[string]quirk{
	"webdav":               {removes: true},
	"sftp":                 {fakeCopy: true},
	"ftp":                  {telnet: true},
	"dropbox":              {noTouch: true},
	"koofr":                {noTouch: true},
	"storj":                {noTouch: true},
	"protondrive":          {noTouch: true},
	"iclouddrive":          {noTouch: true},
	"dosya":                {noTouch: true},
	"s3":                   {buckets: true},
	"google cloud storage": {buckets: true},
	"azureblob":            {buckets: true},
	"b2":                   {buckets: true},
	"swift":                {buckets: true},
	"oracleobjectstorage":  {buckets: true},
	"qingstor":             {buckets: true},
	"memory":               {buckets: true},
}

func bucketBased(info *fs.RegInfo) bool { return quirks[info.Name].buckets }

// learn fills in what the opened Fs can do.
func (g *generic) learn() {
	ft, base := g.f.Features(), fs.UnWrapFs(g.f)
	var q quirk
	if info := fs.FindFromFs(base); info != nil {
		q = quirks[info.Name]
	}
	precision := g.f.Precision()
	if precision >= fs.ModTimeNotSupported {
		precision = 0
	}
	touch := precision > 0 && !q.noTouch
	g.partial = ft.Move != nil && (ft.PartialUploads || q.removes) && !fs.GetConfig(g.rctx).Inplace
	g.local = base.Features().IsLocal
	g.kept, _ = g.cfg.Name.Roots() // it could be opened, so it can be looked through
	g.dups, g.telnet = ft.DuplicateFiles, q.telnet
	g.hash = cheapHash(g.f)
	g.caps = remote.Caps{
		Copy:            ft.Copy != nil && !q.fakeCopy && (touch || precision == 0),
		Move:            ft.Move != nil,
		DirMove:         ft.DirMove != nil,
		SetModTime:      touch,
		Precision:       precision,
		Hash:            rclone.HashType(g.hash),
		BucketBased:     ft.BucketBased,
		CaseInsensitive: ft.CaseInsensitive,
		EmptyDirs:       ft.CanHaveEmptyDirectories,
		Metadata:        g.cfg.Rclone.Metadata && ft.WriteMetadata,
		SetMetadata:     g.cfg.Rclone.Metadata && ft.WriteMetadata && touch, // which of its files can, only they know
		Backup:          g.backup != nil,
	}
}

func (g *generic) Caps() remote.Caps { return g.caps }

// grace is how long a call that was cancelled may take to notice, before it is left behind.
const grace = time.Second

// do runs one call of the engine, see run, and asks the remote for a sign of life if that takes long.
// One that is gone is an error at once: a backend would wait, with all its retries behind one pacer,
// for minutes until it says so.
func (g *generic) do(ctx context.Context, call func(ctx context.Context) error) error {
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
func (g *generic) watch(ctx context.Context, cancel context.CancelCauseFunc) {
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
func (g *generic) refused(ctx context.Context) error {
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
func (g *generic) run(ctx context.Context, call func(ctx context.Context) error) error {
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

// Places implements remote.Connection.
func (g *generic) Places() (places []remote.Place, err error) {
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
func (g *generic) Probe(ctx context.Context) error {
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
func (g *generic) Throttled() int64 { return 0 }

// Flush implements remote.Connection: what rclone's remotes promise, they promise when they answer.
func (g *generic) Flush(ctx context.Context) error { return ctx.Err() }

// Close implements remote.Connection.
func (g *generic) Close() error {
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

// object finds the file or symbolic link at path. With --links a path may be either.
func (g *generic) object(ctx context.Context, path string) (fs.Object, error) {
	o, err := g.f.NewObject(ctx, rclone.Encode(path))
	if g.cfg.Rclone.Links && gone(ctx, err) {
		o, err = g.f.NewObject(ctx, rclone.RemoteName(path, snapshot.Symlink))
	}
	if err != nil && gone(ctx, err) {
		return nil, fmt.Errorf("%w: %w", remote.ErrNotFound, err)
	}
	return o, err
}

// gone reports whether a look at a path failed because there is nothing, be it that what should be
// a parent is a file.
func gone(ctx context.Context, err error) bool {
	return errors.Is(rclone.Classify(ctx, err), remote.ErrNotFound) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrorIsFile)
}

// possible reports a path that would do harm on the way to this remote.
func (g *generic) possible(path string) error {
	if g.telnet && strings.IndexByte(path, 0xff) >= 0 {
		return fmt.Errorf("%w: FTP cannot transmit the byte 0xff", remote.ErrInvalidName)
	}
	return nil
}
