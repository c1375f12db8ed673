package daemon

import (
	"sync"
	"time"

	"github.com/snapsync/snapsync/engine/hint"
)

// young are files that are too young to be mirrored, and hinted at when they are old enough: no event says so.
type young struct {
	add func(hint.Hint)

	mu    sync.Mutex // guards what follows
	files map[string]time.Time
	all   time.Time   // when everything is looked at instead: there are too many; zero: it is not
	timer *time.Timer // of the first; nil: none is set
	rings time.Time   // when timer does
	ended bool
}

// maxYoung bounds the files that are remembered.
const maxYoung = 100_000

func newYoung(add func(hint.Hint)) *young { return &young{add: add, files: map[string]time.Time{}} }

// seen takes in that a file is old enough at that time.
func (y *young) seen(path string, at time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if _, known := y.files[path]; known || len(y.files) < maxYoung {
		y.files[path] = at
	} else if at.After(y.all) {
		y.all = at
	}
	y.ringAt(at)
}

// ringAt has the timer ring no later than at. The caller holds mu.
func (y *young) ringAt(at time.Time) {
	if y.ended || y.timer != nil && !at.Before(y.rings) {
		return
	}
	if y.timer != nil {
		y.timer.Stop()
	}
	y.rings, y.timer = at, time.AfterFunc(time.Until(at), y.ring)
}

// ring hints at what is old enough.
func (y *young) ring() {
	y.mu.Lock()
	now := time.Now()
	y.timer = nil
	var due []hint.Hint
	for path, at := range y.files {
		if at.After(now) {
			y.ringAt(at)
			continue
		}
		delete(y.files, path)
		due = append(due, hint.Hint{Path: path})
	}
	switch {
	case y.all.IsZero():
	case y.all.After(now):
		y.ringAt(y.all)
	default:
		y.all = time.Time{}
		due = append(due, hint.Hint{Deep: true})
	}
	y.mu.Unlock()
	for _, h := range due {
		y.add(h)
	}
}

// end has nothing hinted at any more.
func (y *young) end() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.ended = true
	if y.timer != nil {
		y.timer.Stop()
	}
}
