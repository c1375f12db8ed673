package snapshot

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// pool is the workers of one scan and what they share.
type pool struct {
	cfg     Config
	base    Base
	open    opener
	markers []string // the filter's, sorted
	todo    *stack
	emit    *emitter
	workers []*worker
}

// opener opens the directory at root to be scanned.
type opener func(root string, links bool) (directory, error)

func newPool(cfg Config, base Base, open opener) *pool {
	cfg = cfg.withDefaults()
	p := &pool{cfg: cfg, base: base, open: open, emit: newEmitter(&cfg)}
	if cfg.Filter != nil {
		p.markers = slices.Sorted(slices.Values(cfg.Filter.Markers()))
	}
	p.todo = newStack(job{within: arrange(cfg.Within, p.markers)})
	return p
}

// withDefaults returns cfg with every zero that means something else replaced.
func (cfg Config) withDefaults() Config {
	if cfg.Workers <= 0 {
		cfg.Workers = max(2, runtime.GOMAXPROCS(0))
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// aloneMax is how many directories may wait for the only worker that a scan Within begins with. The others
// cost a cursor each, more than it takes to look at a few places.
const aloneMax = 16

// work goes through everything there is to do.
func (p *pool) work(ctx context.Context) error {
	if p.cfg.Within != nil {
		if err := p.start(1); err != nil {
			return err
		}
		if err := p.workers[0].run(ctx, p.emit, aloneMax); err != nil {
			return err
		}
	}
	if p.todo.left() > 0 {
		if err := p.start(p.cfg.Workers - len(p.workers)); err != nil {
			return err
		}
		if err := p.workTogether(ctx); err != nil {
			return err
		}
	}
	for _, w := range p.workers {
		if err := p.emit.rest(&w.arena); err != nil {
			return err
		}
	}
	return nil
}

func (p *pool) workTogether(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, p.todo.close)
	defer stop()
	for _, w := range p.workers {
		g.Go(func() error { return w.run(ctx, p.emit, math.MaxInt) })
	}
	return g.Wait()
}

// start adds n workers.
func (p *pool) start(n int) error {
	for range n {
		dir, err := p.open(p.cfg.Root, p.cfg.Links == FollowLinks)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSourceGone, err)
		}
		reader, err := p.base.Reader()
		if err != nil {
			dir.close()
			return fmt.Errorf("open base: %w", err)
		}
		p.workers = append(p.workers, &worker{cfg: &p.cfg, markers: p.markers, todo: p.todo, dir: dir, base: reader})
	}
	return nil
}

func (p *pool) close() {
	for _, w := range p.workers {
		w.dir.close()
		w.base.Close()
	}
}
