package control

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Event is something that happened. Data is encoded as JSON when it is read, so it must not change.
type Event struct {
	ID      string // set by the Feed
	Type    string // state, step, progress, cycle, error or lost
	Mapping string // id; "": the whole process
	Data    any    // from a Client: json.RawMessage
}

// Feed keeps the last events for any number of readers. Each reader has a cursor of its own in the ring
// and asks for what comes after it, so nobody waits for a reader: who falls behind by more than the
// ring holds is told how many events it lost.
//
// An id is EPOCH-NUMBER. The epoch is the process; numbers count from 1.
type Feed struct {
	epoch string

	mu      sync.Mutex
	ring    []Event // event n is at n modulo its length
	last    uint64  // number of the newest event; 0: none
	grown   chan struct{}
	waiting bool // somebody has grown
}

// NewFeed returns an empty feed that keeps so many events.
func NewFeed(size int) *Feed {
	return &Feed{
		epoch: strconv.FormatInt(time.Now().UnixNano(), 36),
		ring:  make([]Event, size), grown: make(chan struct{}),
	}
}

// Publish adds an event. The call never blocks.
func (f *Feed) Publish(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.ring[f.last%uint64(len(f.ring))] = e
	if f.waiting {
		close(f.grown)
		f.grown, f.waiting = make(chan struct{}), false
	}
}

// Last is the id of the newest event.
func (f *Feed) Last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.id(f.last)
}

func (f *Feed) id(n uint64) string { return fmt.Sprintf("%s-%d", f.epoch, n) }

// cursor is where a reader is. Only Feed makes them.
type cursor uint64

// after finds the cursor of an id. The result is false if the id is of another process, or no id: what happened
// since cannot be told, and the cursor is the oldest there is.
func (f *Feed) after(id string) (cursor, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	epoch, number, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != f.epoch || n > f.last {
		return cursor(f.oldest() - 1), false
	}
	return cursor(n), true
}

// now is the cursor of a reader that wants what happens from here on.
func (f *Feed) now() cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cursor(f.last)
}

// oldest is the number of the oldest event that is kept. The caller holds the lock.
func (f *Feed) oldest() uint64 { return max(f.last, uint64(len(f.ring))) - uint64(len(f.ring)) + 1 }

// read returns up to limit events after at, the cursor after them, and how many were lost before them.
// If there are none, grown is closed when there is one.
func (f *Feed) read(at cursor, limit int) (events []Event, next cursor, lost uint64, grown <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := uint64(at) + 1
	if oldest := f.oldest(); from < oldest {
		from, lost = oldest, oldest-from
	}
	for n := from; n <= f.last && len(events) < limit; n++ {
		e := f.ring[n%uint64(len(f.ring))]
		e.ID = f.id(n)
		events = append(events, e)
	}
	if len(events) == 0 {
		f.waiting = true
	}
	return events, cursor(from-1) + cursor(len(events)), lost, f.grown
}
