package daemon

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

// slots are what all mappings of a process share: a step takes one. Their number can be changed while they are used.
type slots struct {
	all *semaphore.Weighted // settings.MaxSlots, of which kept are nobody's

	mu     sync.Mutex
	kept   int64   // that nobody may have
	taking *taking // of more to keep; nil: none is waited for
}

// taking is the wait for slots that mappings have now.
type taking struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	got    int64         // to be read after that
}

func newSlots(size int64) *slots {
	p := &slots{all: semaphore.NewWeighted(settings.MaxSlots), kept: settings.MaxSlots - size}
	p.all.TryAcquire(p.kept) // nobody has any yet
	return p
}

// resize makes room at once. To take room away waits for steps that are under way, while none is begun;
// nobody waits for that.
func (p *slots) resize(size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopTaking()
	missing := settings.MaxSlots - size - p.kept
	if missing <= 0 {
		p.all.Release(-missing)
		p.kept += missing
		return
	}
	if p.all.TryAcquire(missing) {
		p.kept += missing
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	t := &taking{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		if p.all.Acquire(ctx, missing) == nil { // all of them: one by one they would queue behind every step
			t.got = missing
		}
	}()
	p.taking = t
}

// stopTaking ends the wait for more. The caller holds the lock.
func (p *slots) stopTaking() {
	if p.taking == nil {
		return
	}
	p.taking.cancel()
	<-p.taking.done
	p.kept += p.taking.got
	p.taking = nil
}

// close ends the wait for more.
func (p *slots) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopTaking()
}
