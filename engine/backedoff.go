package engine

import (
	"time"

	"github.com/snapsync/snapsync/engine/backoff"
	"github.com/snapsync/snapsync/journal"
)

// A path that fails again and again must not be tried with every change elsewhere: each time it
// waits longer, until it changes itself, until a whole run, or until a person asks.

// FirstRetry is how long a path waits that failed for the first time.
const FirstRetry = time.Minute

var retryPauses = backoff.Pauses{First: FirstRetry, Max: time.Hour}

// backedOff returns those of the pending steps that have to wait, by number, and of what class their failures are.
func backedOff(j *journal.Journal, pending []journal.Step, now time.Time) (map[int64]string, error) {
	if len(pending) == 0 {
		return nil, nil
	}
	failures, err := j.Failures(MaxPending)
	if err != nil || len(failures) == 0 {
		return nil, err
	}
	failed := make(map[string]*journal.FailureRow, len(failures))
	for i := range failures {
		failed[failures[i].Path] = &failures[i]
	}
	waiting := make(map[int64]string)
	for i := range pending {
		if f := failed[pending[i].Path]; f != nil && RetryAt(f, now).After(now) {
			waiting[pending[i].Seq] = f.Class
		}
	}
	return waiting, nil
}

// RetryAt is when a path that failed is tried again, by the clock that now is of: the journal only knows the time
// of day, which may have been set since. If it was set back to before the path failed, nobody knows how long ago
// that was, and the answer is the zero time.
func RetryAt(f *journal.FailureRow, now time.Time) time.Time {
	ago := now.Sub(f.Last)
	if ago < 0 {
		return time.Time{}
	}
	return now.Add(retryPauses.After(f.Tries) - ago)
}
