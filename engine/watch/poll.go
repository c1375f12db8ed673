package watch

import (
	"context"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/backoff"
)

const (
	// So many hints at once, and no more for so long: what looks at them is to do other things, too.
	pollBurst = 20
	pollGap   = 100 * time.Millisecond
	// retryMost is how many directories without a watch are tried again in one round.
	retryMost = 1000
)

// poller says when to hint at what cannot be watched.
type poller struct {
	interval time.Duration
	timer    *time.Timer
	left     []string // of a round
	round    int      // how many it has
}

// roundTime is the time between two rounds of n directories: the interval, or longer, so that no more than half of the
// time is spent in rounds.
func roundTime(interval time.Duration, n int) time.Duration {
	return max(interval, time.Duration(n/pollBurst)*pollGap)
}

// rest sets the timer to the next round, not quite regularly, so that several watchers do not poll at once.
func (p *poller) rest() {
	pause := roundTime(p.interval, p.round)
	p.timer.Reset(backoff.Jitter(pause))
}

// some returns the next ones of the round, and sets the timer.
func (p *poller) some() (paths []string) {
	n := min(len(p.left), pollBurst)
	paths, p.left = p.left[:n], p.left[n:]
	if len(p.left) > 0 {
		p.timer.Reset(pollGap)
	} else {
		p.rest()
	}
	return paths
}

// polled returns the paths of what is polled now.
func (c *coverage) polled() (paths []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range c.tree.odd {
		if n.state.polled() {
			rel, _ := c.root.relative(n.path)
			paths = append(paths, rel)
		}
	}
	slices.Sort(paths)
	return paths
}

// retry covers what could not be watched before and can now, and returns the paths. anew: the system has a notifier now.
func (c *coverage) retry(ctx context.Context) (covered []string, anew bool) {
	var limited, others []string
	c.mu.Lock()
	exhausted := c.exhausted
	for n := range c.tree.odd {
		switch n.state {
		case full:
			limited = append(limited, n.path)
		case unreadable, twice:
			others = append(others, n.path)
		}
	}
	c.mu.Unlock()
	if exhausted {
		n, err := fsnotify.NewWatcher()
		if err == nil {
			_ = n.Close() // it was only to see whether there is one
		}
		return nil, err == nil
	}
	slices.Sort(limited)
	for _, path := range limited[:min(len(limited), retryMost)] {
		if ctx.Err() != nil || !c.canWatch(path) {
			break
		}
		c.cover(ctx, path)
		rel, _ := c.root.relative(path)
		covered = append(covered, rel)
	}
	for _, path := range others[:min(len(others), retryMost)] {
		c.cover(ctx, path)
		if rel, _ := c.root.relative(path); c.stateAt(path) == watched {
			covered = append(covered, rel)
		}
	}
	return covered, false
}

// canWatch tries whether the system has a watch left, at a path that has none.
func (c *coverage) canWatch(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.room() {
		return false
	}
	err := c.notifier.Add(path)
	c.removeWatch(path)
	return stateOf(err) != full
}
