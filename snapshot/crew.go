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

// crew is the workers of one scan and what they share.
type crew struct {
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

func newCrew(cfg Config, base Base, open opener) *crew {
	cfg = cfg.withDefaults()
	c := &crew{cfg: cfg, base: base, open: open, emit: newEmitter(&cfg)}
	if cfg.Filter != nil {
		c.markers = slices.Sorted(slices.Values(cfg.Filter.Markers()))
	}
	c.todo = newStack(job{within: arrange(cfg.Within, c.markers)})
	return c
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
func (c *crew) work(ctx context.Context) error {
	if c.cfg.Within != nil {
		if err := c.hire(1); err != nil {
			return err
		}
		if err := c.workers[0].run(ctx, c.emit, aloneMax); err != nil {
			return err
		}
	}
	if c.todo.left() > 0 {
		if err := c.hire(c.cfg.Workers - len(c.workers)); err != nil {
			return err
		}
		if err := c.workTogether(ctx); err != nil {
			return err
		}
	}
	for _, w := range c.workers {
		if err := c.emit.rest(&w.slab); err != nil {
			return err
		}
	}
	return nil
}

func (c *crew) workTogether(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, c.todo.close)
	defer stop()
	for _, w := range c.workers {
		g.Go(func() error { return w.run(ctx, c.emit, math.MaxInt) })
	}
	return g.Wait()
}

// hire adds n workers.
func (c *crew) hire(n int) error {
	for range n {
		dir, err := c.open(c.cfg.Root, c.cfg.Links == FollowLinks)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSourceGone, err)
		}
		reader, err := c.base.Reader()
		if err != nil {
			dir.close()
			return fmt.Errorf("open base: %w", err)
		}
		c.workers = append(c.workers, &worker{cfg: &c.cfg, markers: c.markers, todo: c.todo, dir: dir, base: reader})
	}
	return nil
}

func (c *crew) close() {
	for _, w := range c.workers {
		w.dir.close()
		w.base.Close()
	}
}
