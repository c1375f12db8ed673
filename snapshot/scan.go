package snapshot

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Scan compares the directory cfg.Root with the base and returns the difference.
//
// An entry is unchanged, and not reported, if the base trusts its own record of it (not Racy, Retained
// or Adopted), the stat is the same and the permissions are; with cfg.Checksum no file is. A directory
// is unchanged if it is the same directory. A path of another kind than before is one Change with
// both entries, and everything beneath an old or new directory is absent or new. Where the source has
// what the scan skips (a link, a socket, what could not be looked at), the path is neither present
// nor absent: what the base has there stays, as Unproven. What the filter excludes does not exist, on
// either side. What changes while it is looked at is left to the next scan.
//
// The base must not change before Scan returns. Scan returns an error, and nothing else, if the root
// cannot be read (ErrSourceGone), if the base cannot, or if ctx is done. No goroutine outlives it.
func Scan(ctx context.Context, cfg Config, base Base) (*Head, error) {
	return scan(ctx, cfg, base, openDirectory)
}

func scan(ctx context.Context, cfg Config, base Base, open opener) (*Head, error) {
	p := &pool{cfg: cfg.withDefaults(), base: base, open: open}
	defer func() {
		for _, w := range p.workers {
			w.dir.close()
			w.base.Close()
		}
	}()
	if cfg.Filter != nil {
		p.markers = slices.Sorted(slices.Values(cfg.Filter.Markers()))
	}
	p.todo = newStack(job{within: arrange(cfg.Within, p.markers)})
	if err := p.work(ctx); err != nil {
		return nil, fmt.Errorf("scan source: %w", err)
	}
	var found []*findings
	for _, w := range p.workers {
		found = append(found, &w.found)
	}
	return gather(cfg.Mounts, found), nil
}

// pool is the workers of one scan and what they share.
type pool struct {
	cfg     Config
	base    Base
	open    opener
	markers []string // the filter's, sorted
	todo    *stack
	workers []*worker
	emitMu  sync.Mutex // held while cfg.Emit is called
}

// aloneMax is how many directories may wait for the only worker that a scan Within begins with. Each other worker
// costs a cursor, more than it takes to look at a few places.
const aloneMax = 16

// work goes through everything there is to do.
func (p *pool) work(ctx context.Context) error {
	if p.cfg.Within != nil {
		if err := p.start(1); err != nil {
			return err
		}
		if err := p.run(ctx, p.workers[0], aloneMax); err != nil {
			return err
		}
	}
	if len(p.todo.jobs) > 0 {
		if err := p.start(p.cfg.Workers - len(p.workers)); err != nil {
			return err
		}
		g, ctx := errgroup.WithContext(ctx)
		defer context.AfterFunc(ctx, p.todo.close)()
		for _, w := range p.workers {
			g.Go(func() error { return p.run(ctx, w, math.MaxInt) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	for _, w := range p.workers {
		if err := p.emit(w, 0); err != nil {
			return err
		}
	}
	return nil
}

// start adds n workers.
func (p *pool) start(n int) error {
	for range n {
		w, err := newWorker(&p.cfg, p.markers, p.base, p.open)
		if err != nil {
			return err
		}
		p.workers = append(p.workers, w)
	}
	return nil
}

// run has w look at directories until none is left, or more than most are, or ctx is done.
func (p *pool) run(ctx context.Context, w *worker, most int) error {
	for ctx.Err() == nil {
		j, ok := p.todo.pop()
		if !ok {
			break
		}
		led, err := w.look(j)
		if err != nil {
			return err
		}
		if err := p.emit(w, emitPieces); err != nil {
			return err
		}
		// What was found last is looked at last, so that the walk goes in the order of names.
		slices.Reverse(led)
		if p.todo.done(led) > most {
			break
		}
	}
	return ctx.Err()
}

// emitPieces is how many full pieces of changes a worker gathers before they are emitted.
const emitPieces = 4

// emit hands the changes that w found to whoever wants them, if they are at least so many full pieces.
func (p *pool) emit(w *worker, pieces int) error {
	if p.cfg.Emit == nil {
		return nil
	}
	changes := w.found.take(pieces)
	if len(changes) == 0 {
		return nil
	}
	p.emitMu.Lock()
	defer p.emitMu.Unlock()
	return p.cfg.Emit(changes)
}
