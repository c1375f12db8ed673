// Package backoff has the pauses between attempts at what may work later: each is twice the one before, up to a limit.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Pauses are those between attempts, from the first on.
type Pauses struct {
	First, Max time.Duration // above 0
}

// Next returns the pause that follows last; 0: there was none yet.
func (p Pauses) Next(last time.Duration) time.Duration {
	return min(max(2*last, p.First), p.Max)
}

// After returns the pause that follows so many attempts in vain, of which there was at least one.
func (p Pauses) After(attempts int64) (pause time.Duration) {
	for pause = p.Next(0); attempts > 1 && pause < p.Max; attempts-- {
		pause = p.Next(pause)
	}
	return pause
}

// Jitter spreads what many do after the same pause: it returns between 3/4 and 5/4 of d.
func Jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(rand.Int64N(int64(d)/2+1))
}
