package watch

import (
	"sync"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// queue holds the events that were read and not handled yet. Whoever fills the queue only reads from the notifier and
// never waits for anything else: the notifier holds locks while it sends errors, and on Windows adds watches in the
// goroutine that sends events.
type queue struct {
	wake chan struct{} // there is something in it
	done chan struct{} // pump returned

	mu     sync.Mutex
	events []fsnotify.Event
	lost   bool // some did not get in since the last take
}

// queueMax is how many events wait at most: 20 MB or so. It outlasts the walk through a large tree
// that was moved in.
const queueMax = 1 << 17

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// pump fills the queue until n is closed.
func (q *queue) pump(n *fsnotify.Watcher) {
	defer close(q.done)
	events, errs := n.Events, n.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			q.put(e)
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			// Bare, it is from the removal of a watch whose directory was moved and then removed, and
			// says nothing new. All else is an overflow, or a reading that failed: something is missing.
			if err != syscall.EINVAL {
				q.mu.Lock()
				q.lost = true
				q.signal()
				q.mu.Unlock()
			}
		}
	}
}

func (q *queue) put(e fsnotify.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := len(q.events) - 1
	switch {
	case last >= 0 && q.events[last] == e:
		return // nobody has looked since
	case len(q.events) >= queueMax:
		q.events = nil // the root will be looked at, and with it all of these
		q.lost = true
	default:
		q.events = append(q.events, e)
	}
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns what waits, in order, and whether something is missing. spare is used for what comes
// next.
func (q *queue) take(spare []fsnotify.Event) (events []fsnotify.Event, lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	events, lost = q.events, q.lost
	q.events, q.lost = spare[:0], false
	return events, lost
}
