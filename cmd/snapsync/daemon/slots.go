package daemon

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

// slots is the slots that all mappings of a process share. Its size can be changed while they are used.
type slots struct {
	slots *semaphore.Weighted // of settings.PoolCeiling, of which the pool keeps what nobody may have

	mu   sync.Mutex
	kept int64   // what it keeps
	more *taking // what it waits for, to keep more; nil: nothing
}

// taking is the wait for slots that mappings have now.
type taking struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	got    int64         // to be read after that
}

func newSlots(size int64) *slots {
	p := &slots{slots: semaphore.NewWeighted(settings.PoolCeiling), kept: settings.PoolCeiling - size}
	p.slots.TryAcquire(p.kept) // nobody has any yet
	return p
}

// resize makes room at once. To take room away waits for steps that are under way, while none is begun;
// nobody waits for that.
func (p *slots) resize(size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	missing := settings.PoolCeiling - size - p.kept
	if missing <= 0 {
		p.slots.Release(-missing)
		p.kept += missing
		return
	}
	if p.slots.TryAcquire(missing) {
		p.kept += missing
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	t := &taking{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		if p.slots.Acquire(ctx, missing) == nil { // all of them: one by one they would queue behind every step
			t.got = missing
		}
	}()
	p.more = t
}

// settle ends the wait for more. The caller holds the lock.
func (p *slots) settle() {
	if p.more == nil {
		return
	}
	p.more.cancel()
	<-p.more.done
	p.kept += p.more.got
	p.more = nil
}

// close ends what goes on by itself.
func (p *slots) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
}
