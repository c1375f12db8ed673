package engine

import "time"

// governor finds out how many steps at once are best for a remote. It measures how much gets done in an
// interval, climbs while more at once gets more done, steps back when it does not, and halves when the
// remote says that it is too much. Links and servers differ by three orders of magnitude here, and
// change while a run lasts: a number that a person picked is wrong most of the time.
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
}

const (
	governInterval = 500 * time.Millisecond
	stepUnits      = 32 << 10 // what a step weighs beside its bytes
	better         = 0.25     // of the share that the limit was raised by, how much more must get done to keep it
	restIntervals  = 20       // after stepping back
)

func newGovernor(start, limit int) *governor {
	return &governor{limit: start, min: 1, max: max(start, limit)}
}

// started notes that so many steps are under way.
func (g *governor) started(flying int) { g.full = g.full || flying >= g.limit }

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
	case g.limit < g.max:
		g.before = g.limit
		g.limit = min(g.max, max(g.limit+1, g.limit*3/2))
		return
	}
	g.before = 0
}

// throttled notes that the remote refused a step because there are too many.
func (g *governor) throttled(now time.Time, units int64) {
	if g.resting == restIntervals && g.rate == 0 {
		return // it has just reacted: one refusal seldom comes alone
	}
	g.limit = max(g.min, g.limit/2)
	g.before, g.resting, g.rate = 0, restIntervals, 0
	g.since, g.done, g.full = now, units, false
}
