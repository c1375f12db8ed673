package loop

import "time"

// timer is something that a Loop does by the clock.
type timer int

const (
	scanAll    timer = iota // to look at everything again
	probe                   // to try a remote that is away, or a source that is not there
	watchAgain              // to try again to watch; not set: it is being watched, or never will be
	flush                   // to flush the remote; not set: there is nothing to flush
	retry                   // to try the first of the paths that failed
	timerCount
)

// timers has when each timer is due; zero: it is not set.
type timers [timerCount]time.Time

// due reports whether a timer is set and its time has come.
func (t *timers) due(what timer, now time.Time) bool {
	return !t[what].IsZero() && !now.Before(t[what])
}
