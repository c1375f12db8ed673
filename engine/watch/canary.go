package watch

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// canary proves that events arrive. To sing is to give the root the owner that the root has: that changes nothing but
// the ctime, leaves no file in the user's tree, and makes an event of changed attributes, which is not hinted at. (To
// set the mode again would do as well, and undo what a person does at the same moment; owners change more rarely than
// modes, and only by the superuser.)
type canary struct {
	root     string
	interval time.Duration // between two proofs
	log      *slog.Logger
	timer    *time.Timer // it is time to sing, or to have been heard
	sung     time.Time   // when it sang and was not heard yet; zero: it is at rest
	silent   int         // how often in a row it was not heard

	mu         sync.Mutex // held while what follows is written, and while others than run read it
	proved     time.Time  // when an event arrived last; zero: never
	unprovable error      // why it cannot sing; nil: it can
	mute       bool       // events do not arrive, again and again: the root is polled
	silences   int64      // how often no event arrived
	silentAt   time.Time
}

// patience is how long an event may be on its way.
func (c *canary) patience() time.Duration { return min(5*time.Second, c.interval) }

// sing makes an event, unless one arrived lately, and sets the timer.
func (c *canary) sing(now time.Time) {
	if since := now.Sub(c.proved); since < c.interval {
		c.timer.Reset(c.interval - since)
		return
	}
	if err := poke(c.root); err != nil {
		c.cannotProve(err)
		c.timer.Reset(c.interval)
		return
	}
	c.sung = now
	c.timer.Reset(c.patience())
}

// unheard counts a song of which no event came, and reports whether to set up the watch anew. Where that does not
// help, the root is polled as well, and a new attempt is made less often.
func (c *canary) unheard(now time.Time) (anew bool) {
	c.silent++
	c.mu.Lock()
	c.silences++
	c.silentAt = now
	c.mute = c.silent > 1
	c.mu.Unlock()
	if c.silent > 2 && c.silent%30 != 0 {
		return false
	}
	c.log.Error("no file-system event arrived: the watch is set up anew, and everything is looked at",
		"root", c.root, "waited", c.patience(), "in a row", c.silent)
	return true
}

// heard records that an event arrived.
func (c *canary) heard(at time.Time) {
	c.silent = 0
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proved, c.unprovable, c.mute = at, nil, false
}

func (c *canary) cannotProve(err error) {
	c.mu.Lock()
	first := c.unprovable == nil
	c.unprovable = err
	c.mu.Unlock()
	if first {
		c.log.Info("that file-system events arrive cannot be proved here", "root", c.root, "error", err)
	}
}

// health says when an event arrived last, and what is wrong with that. every is the time between two polls.
func (c *canary) health(watching bool, every time.Duration) (proved time.Time, problems []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch {
	case c.mute:
		say("%s: file-system events do not arrive, so that everything is looked at every %s: see whether the file system or a sandbox keeps them back",
			c.root, every)
	case c.silences > 0:
		say("%s: file-system events had stopped %d times, last at %s; the watch was set up anew and everything was looked at: if that goes on, restart and report it",
			c.root, c.silences, c.silentAt.Format(time.DateTime))
	}
	if c.unprovable != nil && watching {
		say("that events arrive cannot be proved at %s (%v): run as the owner of this directory, or rely on the periodic scan",
			c.root, c.unprovable)
	}
	return c.proved, problems
}
