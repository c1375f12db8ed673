package execute

import (
	"testing"
	"time"
)

// drive runs a limiter for some seconds against a remote whose units a second depend on how many steps
// are under way, and returns the limits that it went through.
func drive(l *limiter, seconds int, rate func(limit int) float64) (limits []int) {
	now, units := time.Unix(1000, 0), 0.0
	l.since = time.Time{}
	l.measure(now, 0)
	for range seconds * int(time.Second/limitInterval) {
		l.started(l.limit)
		now = now.Add(limitInterval)
		units += rate(l.limit) * limitInterval.Seconds()
		l.measure(now, int64(units))
		limits = append(limits, l.limit)
	}
	return limits
}

// On a long link each step takes as long as ever, however many there are: more is better, to the end.
func TestLimiterClimbs(t *testing.T) {
	l := newLimiter(8, 64)
	limits := drive(l, 10, func(n int) float64 { return 1e6 * float64(n) })
	if l.limit != 64 {
		t.Errorf("ended at %d: %v", l.limit, limits)
	}
}

// Where the line is full, more at once brings nothing.
func TestLimiterStaysWhereMoreBringsNothing(t *testing.T) {
	l := newLimiter(8, 64)
	limits := drive(l, 60, func(n int) float64 { return 1e6 * float64(min(n, 16)) })
	for _, n := range limits[20:] {
		if n < 8 || n > 27 {
			t.Fatalf("wandered to %d: %v", n, limits)
		}
	}
}

func TestLimiterBacksOff(t *testing.T) {
	l := newLimiter(32, 64)
	now := time.Unix(1000, 0)
	for range 3 { // refusals come together
		l.throttled(now, 0)
	}
	if l.limit != 16 {
		t.Errorf("want 16 after being told off, got %d", l.limit)
	}
	for range 100 {
		for range l.limit {
			l.started(l.limit)
		}
		l.throttled(now, 0)
	}
	if l.limit != 1 {
		t.Errorf("want 1 at last, got %d", l.limit)
	}
	if limits := drive(l, 60, func(n int) float64 { return float64(n) * 1e6 }); l.limit != 64 {
		t.Errorf("it does not recover: %v", limits)
	}
}

// strict is a remote that takes so many requests at once, each for a while, and refuses more. Who was refused
// asks again after a pause that doubles, and keeps a place among the steps under way.
type strict struct {
	most          func(second int) int
	busy          []int // ticks until each of those that were let in is done
	waiting       []strictWait
	refused, done int
}

type strictWait struct{ ticks, pause int }

const strictTick, strictTakes = 10 * time.Millisecond, 5

// tick lets one tick pass, with limit steps under way, and returns how many were started and refused in it.
func (s *strict) tick(second, limit int) (started, refused int) {
	var busy []int
	for _, left := range s.busy {
		if left--; left > 0 {
			busy = append(busy, left)
		} else {
			s.done++
		}
	}
	s.busy = busy
	asks := func(w strictWait) {
		if len(s.busy) < s.most(second) {
			s.busy = append(s.busy, strictTakes)
			return
		}
		refused++
		s.waiting = append(s.waiting, strictWait{w.pause, min(50, 2*w.pause)})
	}
	waiting := s.waiting
	s.waiting = nil
	for _, w := range waiting {
		if w.ticks--; w.ticks > 0 {
			s.waiting = append(s.waiting, w)
			continue
		}
		asks(w)
	}
	for len(s.busy)+len(s.waiting) < limit {
		started++
		asks(strictWait{pause: 5})
	}
	s.refused += refused
	return started, refused
}

// run lets l drive the remote for some seconds, and returns the limit at the end of each.
func (s *strict) run(l *limiter, seconds int) (limits []int) {
	now := time.Unix(1000, 0)
	for second := range seconds {
		for range int(time.Second / strictTick) {
			now = now.Add(strictTick)
			started, refused := s.tick(second, l.limit)
			for range started {
				l.started(len(s.busy) + len(s.waiting))
			}
			units := int64(s.done) * stepUnits
			if refused > 0 {
				l.throttled(now, units)
			}
			l.measure(now, units)
		}
		limits = append(limits, l.limit)
	}
	return limits
}

// A remote that takes so many at once gets nearly as many, and is seldom asked for more.
func TestLimiterStaysNearWhatIsTaken(t *testing.T) {
	const seconds = 120
	for _, most := range []int{1, 2, 5, 12, 16, 20, 31, 50, 100} {
		s := &strict{most: func(int) int { return most }}
		limits := s.run(newLimiter(32, 128), seconds)
		ideal := float64(most*seconds) / (strictTakes * strictTick.Seconds())
		fixed := &strict{most: s.most}
		fixed.run(newLimiter(64, 64), seconds)
		t.Logf("%3d at once: %.2f of what is possible, %d refused of %d (with 64 at once %d of %d); limits %v",
			most, float64(s.done)/ideal, s.refused, s.done, fixed.refused, fixed.done, limits)
		for second, n := range limits[30:] {
			if n < most*2/3 || n > most+max(1, most/4) {
				t.Errorf("%d at once: it is at %d after %d s: %v", most, n, 30+second, limits)
				break
			}
		}
		if float64(s.done) < 0.8*ideal {
			t.Errorf("%d at once: only %d were done of %.0f", most, s.done, ideal)
		}
		if s.refused > max(100, fixed.refused/20) {
			t.Errorf("%d at once: %d were refused, %d with a fixed number", most, s.refused, fixed.refused)
		}
	}
}

// A remote that gets busy is left alone, and used again when it is not.
func TestLimiterFollows(t *testing.T) {
	s := &strict{most: func(second int) int {
		if second < 30 || second >= 60 {
			return 64
		}
		return 6
	}}
	limits := s.run(newLimiter(32, 128), 150)
	t.Logf("%d refused of %d: %v", s.refused, s.done, limits)
	if n := limits[29]; n < 40 || n > 80 {
		t.Errorf("it is at %d where 64 are taken: %v", n, limits)
	}
	if n := limits[45]; n > 8 {
		t.Errorf("it is at %d where 6 are taken: %v", n, limits)
	}
	if n := limits[149]; n < 40 {
		t.Errorf("it is at %d where 64 are taken again: %v", n, limits)
	}
	if s.refused > s.done/50 {
		t.Errorf("%d of %d were refused", s.refused, s.done)
	}
}

// A number that a person gave is kept to, and idle time teaches nothing.
func TestLimiterKeepsToANumber(t *testing.T) {
	l := newLimiter(5, 5)
	drive(l, 10, func(n int) float64 { return 1e6 * float64(n) })
	l.throttled(time.Unix(2000, 0), 0)
	if l.limit != 5 {
		t.Errorf("got %d", l.limit)
	}
	l = newLimiter(8, 64)
	for i := range 100 {
		l.started(2)
		l.measure(time.Unix(int64(1000+i), 0), int64(i))
	}
	if l.limit != 8 {
		t.Errorf("got %d although it was never full", l.limit)
	}
}
