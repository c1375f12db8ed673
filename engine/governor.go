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
	grown   bool      // the limit was raised before this interval
	resting int       // intervals to leave the limit alone
}

const (
	governInterval = 500 * time.Millisecond
	stepUnits      = 32 << 10 // what a step weighs beside its bytes
	better         = 1.05     // how much more done makes it worth to have more under way
	restIntervals  = 20       // after stepping back; ten after being told off
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
		g.rate, g.grown = 0, false
		return
	}
	g.judge(rate)
}

func (g *governor) judge(rate float64) {
	switch {
	case g.resting > 0:
		g.resting--
		g.grown = false
	case g.grown && rate < g.rate*better:
		g.limit = max(g.min, g.limit*2/3) // the step before was as good
		g.grown, g.resting = false, restIntervals
	case g.limit < g.max:
		g.limit = min(g.max, max(g.limit+1, g.limit*3/2))
		g.grown = true
	default:
		g.grown = false
	}
	g.rate = rate
}

// throttled notes that the remote refused a step because there are too many.
func (g *governor) throttled(now time.Time, units int64) {
	if g.resting > restIntervals/2 && g.grown == false && g.rate == 0 {
		return // it has reacted a moment ago: one refusal seldom comes alone
	}
	g.limit = max(g.min, g.limit/2)
	g.grown, g.resting, g.rate = false, restIntervals, 0
	g.since, g.done, g.full = now, units, false
}
