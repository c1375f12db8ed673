package engine

import (
	"testing"
	"time"
)

// drive runs a governor for some seconds against a remote whose units a second depend on how many steps
// are under way, and returns the limits that it went through.
func drive(g *governor, seconds int, rate func(limit int) float64) (limits []int) {
	now, units := time.Unix(1000, 0), 0.0
	g.since = time.Time{}
	g.measure(now, 0)
	for range seconds * int(time.Second/governInterval) {
		g.started(g.limit)
		now = now.Add(governInterval)
		units += rate(g.limit) * governInterval.Seconds()
		g.measure(now, int64(units))
		limits = append(limits, g.limit)
	}
	return limits
}

// On a long link each step takes as long as ever, however many there are: more is better, to the end.
func TestGovernorClimbs(t *testing.T) {
	g := newGovernor(8, 64)
	limits := drive(g, 10, func(n int) float64 { return 1e6 * float64(n) })
	if g.limit != 64 {
		t.Errorf("ended at %d: %v", g.limit, limits)
	}
}

// Where the line is full, more at once brings nothing.
func TestGovernorStaysWhereMoreBringsNothing(t *testing.T) {
	g := newGovernor(8, 64)
	limits := drive(g, 60, func(n int) float64 { return 1e6 * float64(min(n, 16)) })
	for _, n := range limits[20:] {
		if n < 8 || n > 27 {
			t.Fatalf("wandered to %d: %v", n, limits)
		}
	}
}

func TestGovernorBacksOff(t *testing.T) {
	g := newGovernor(32, 64)
	now := time.Unix(1000, 0)
	for range 3 { // refusals come together
		g.throttled(now, 0)
	}
	if g.limit != 16 {
		t.Errorf("want 16 after being told off, got %d", g.limit)
	}
	for range 100 {
		now = now.Add(time.Minute)
		g.resting = 0
		g.throttled(now, 0)
	}
	if g.limit != 1 {
		t.Errorf("want 1 at last, got %d", g.limit)
	}
	if limits := drive(g, 60, func(n int) float64 { return float64(n) * 1e6 }); g.limit != 64 {
		t.Errorf("it does not recover: %v", limits)
	}
}

// A number that a person gave is kept to, and idle time teaches nothing.
func TestGovernorKeepsToANumber(t *testing.T) {
	g := newGovernor(5, 5)
	drive(g, 10, func(n int) float64 { return 1e6 * float64(n) })
	if g.limit != 5 {
		t.Errorf("got %d", g.limit)
	}
	g = newGovernor(8, 64)
	for i := range 100 {
		g.started(2)
		g.measure(time.Unix(int64(1000+i), 0), int64(i))
	}
	if g.limit != 8 {
		t.Errorf("got %d although it was never full", g.limit)
	}
}
