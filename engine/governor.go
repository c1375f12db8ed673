package engine

import "time"

// governor finds out how many steps at once are best for a remote. It measures how much gets done in an
// interval, climbs while more at once gets more done, steps back when it does not, and halves when the
// remote says that it is too much. Links and servers differ by three orders of magnitude here, and
// change while a run lasts: a number that a person picked is wrong most of the time.
//
// Refusals weigh more than rates. After the first the limit is halved. From then on it is a search between
// what was refused and what was not: raised by little, and by more each time that goes well, until a raise
// is refused; then back to what went well, for a while, and the next raise is smaller. So a remote that
// takes n at once is asked for n + 1 every ten seconds, and for no more than n in between.
//
// It is told everything by its methods, has no goroutine and no clock, and belongs to the dispatcher.
type governor struct {
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
	governInterval = 500 * time.Millisecond
	stepUnits      = 32 << 10 // what a step weighs beside its bytes
	better         = 0.25     // of the share that the limit was raised by, how much more must get done to keep it
	restIntervals  = 20       // after stepping back
	cutIntervals   = 4        // after a cut: what is under way has to end, and what was refused to come again
)

// newGovernor allows start steps at first, and up to limit. If that is the same, it is a number that a person
// gave, and stays.
func newGovernor(start, limit int) *governor {
	g := &governor{limit: start, min: 1, max: max(start, limit)}
	if g.max == start {
		g.min = start
	}
	return g
}

// started notes that one more step, and now so many, are under way.
func (g *governor) started(flying int) {
	g.full = g.full || flying >= g.limit
	g.stale = max(0, g.stale-1)
}

// measure judges the interval if it is over. units is all that was done so far: bytes, and stepUnits for
// each step.
func (g *governor) measure(now time.Time, units int64) {
	if g.since.IsZero() {
		g.since, g.done = now, units
		return
	}
	took := now.Sub(g.since)
	if took < governInterval {
		return
	}
	rate := float64(units-g.done) / took.Seconds()
	full := g.full
	g.since, g.done, g.full = now, units, false
	if !full {
		g.rate, g.before = 0, 0
		return
	}
	g.good = g.limit
	g.judge(rate)
}

func (g *governor) judge(rate float64) {
	was := g.rate
	g.rate = rate
	switch {
	case g.resting > 0:
		g.resting--
	case g.before > 0 && rate < was*(1+better*float64(g.limit-g.before)/float64(g.before)):
		g.limit, g.resting = g.before, restIntervals // that was as good
		if g.stride > 0 {
			g.resting = cutIntervals // a small raise is easily mistaken
		}
	case g.limit < g.max:
		g.raise()
		return
	}
	g.before = 0
}

func (g *governor) raise() {
	g.before = g.limit
	half := max(1, g.limit/2)
	if g.stride == 0 || g.stride >= half {
		g.stride = 0
		g.limit = min(g.max, g.limit+half)
		return
	}
	g.limit = min(g.max, g.limit+g.stride)
	g.stride *= 2
}

// throttled notes that the remote refused something because there is too much.
func (g *governor) throttled(now time.Time, units int64) {
	g.since, g.done, g.full = now, units, false // an interval with a refusal teaches nothing more
	if g.min == g.max || g.stale > 0 && now.Sub(g.lowered) < governInterval {
		return // it has just reacted: what was started before is refused as well
	}
	switch {
	case g.good > 0 && g.good < g.limit: // the last raise was too much
		g.stride = max(1, (g.limit-g.good)/2)
		g.limit, g.resting = g.good, restIntervals
	case g.good > 0: // a remote has its moods
		g.limit, g.resting = max(g.min, g.limit-max(1, g.limit/8)), cutIntervals
		g.stride, g.good = 1, 0
	default:
		g.limit, g.resting = max(g.min, g.limit/2), cutIntervals
		g.stride = max(1, g.limit/4)
	}
	g.lowered, g.stale = now, g.limit
	g.before, g.rate = 0, 0
}
