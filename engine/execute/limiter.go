package execute

import (
	"cmp"
	"time"
)

// limiter finds out how many steps at once are best for a remote. It measures how much gets done in an interval, climbs
// while more at once gets more done, steps back when it does not, and halves when the remote says that it is too much.
// Links and servers differ by three orders of magnitude here, and change while a run lasts: a number that a person picked
// is wrong most of the time.
//
// Refusals weigh more than rates. The first one halves the limit. From then on it is a search between what was refused and
// what was not: the limit is raised by little, and by more each time that goes well, until a raise is refused; then it goes
// back to what went well, for a while, and the next raise is smaller. So a remote that takes n at once is asked for n + 1
// every ten seconds, and for no more than n in between.
//
// Everything is told to it by its methods. It has no goroutine and no clock, and belongs to the dispatcher.
type limiter struct {
	limit    int // how many steps may be under way now
	min, max int

	since   time.Time // start of the interval
	done    int64     // work units at its start
	full    bool      // the limit was reached in it: otherwise its rate says nothing about the limit
	rate    float64   // of the interval before, units a second; 0: not known
	before  int       // the limit that was raised before this interval; 0: none was
	resting int       // intervals to leave the limit alone

	good    int       // a limit with which a whole interval went by without a refusal; 0: none since the last cut
	stride  int       // what the limit is raised by next; 0: by half of it
	lowered time.Time // because of a refusal
	stale   int       // so many more starts, and what is refused belongs to the limit as it is now
}

const (
	limitInterval = 500 * time.Millisecond
	stepUnits     = 32 << 10 // what a step weighs beside its bytes
	better        = 0.25     // of the share that the limit was raised by, how much more must get done to keep it
	restIntervals = 20       // after stepping back
	cutIntervals  = 4        // after a cut: what is under way has to end, and what was refused to come again
)

// newLimiter allows start steps at first, and up to limit. If both are the same, that number stays.
func newLimiter(start, limit int) *limiter {
	l := &limiter{limit: start, min: 1, max: max(start, limit)}
	if l.max == start {
		l.min = start
	}
	return l
}

// started notes that one more step, and now so many, are under way.
func (l *limiter) started(flying int) {
	l.full = l.full || flying >= l.limit
	l.stale = max(0, l.stale-1)
}

// measure judges the interval if it is over. units is all that was done so far: bytes, and stepUnits for each step.
func (l *limiter) measure(now time.Time, units int64) {
	if l.since.IsZero() {
		l.since, l.done = now, units
		return
	}
	took := now.Sub(l.since)
	if took < limitInterval {
		return
	}
	rate := float64(units-l.done) / took.Seconds()
	full := l.full
	l.since, l.done, l.full = now, units, false
	if !full {
		l.rate, l.before = 0, 0
		return
	}
	l.good = l.limit
	l.compare(rate)
}

func (l *limiter) compare(rate float64) {
	was := l.rate
	l.rate = rate
	switch {
	case l.resting > 0:
		l.resting--
	case l.before > 0 && rate < was*(1+better*float64(l.limit-l.before)/float64(l.before)):
		l.limit, l.resting = l.before, restIntervals // that was as good
		if l.stride > 0 {
			l.resting = cutIntervals // a small raise is easily mistaken
		}
	case l.limit < l.max:
		l.raise()
		return
	}
	l.before = 0
}

func (l *limiter) raise() {
	l.before = l.limit
	half := max(1, l.limit/2)
	if l.stride == 0 || l.stride >= half {
		l.stride = 0
		l.limit = min(l.max, l.limit+half)
		return
	}
	l.limit = min(l.max, l.limit+l.stride)
	l.stride *= 2
}

// throttled notes that the remote refused something because there is too much.
func (l *limiter) throttled(now time.Time, units int64) {
	l.since, l.done, l.full = now, units, false // an interval with a refusal teaches nothing more
	if l.min == l.max || l.stale > 0 && now.Sub(l.lowered) < limitInterval {
		return // it has just reacted: what was started before is refused as well
	}
	switch {
	case l.good > 0 && l.good < l.limit: // the last raise was too much
		l.stride = max(1, (l.limit-l.good)/2)
		l.limit, l.resting = l.good, restIntervals
	case l.good > 0: // a remote has its moods
		l.limit, l.resting = max(l.min, l.limit-max(1, l.limit/8)), cutIntervals
		l.stride, l.good = 1, 0
	default:
		l.limit, l.resting = max(l.min, l.limit/2), cutIntervals
		l.stride = max(1, l.limit/4)
	}
	l.lowered, l.stale = now, l.limit
	l.before, l.rate = 0, 0
}

// limiterFor starts with what the Connection advises. A number that a person gave stays; so does what suits a disk of this
// machine, where more at once only wears the heads.
func limiterFor(cfg *Config) *limiter {
	if n := cfg.Transfers; n > 0 {
		return newLimiter(n, n)
	}
	start := cmp.Or(cfg.Caps.Transfers, DefaultTransfers)
	if cfg.Caps.Volatile {
		return newLimiter(start, start)
	}
	return newLimiter(start, min(4*start, MaxTransfers))
}
