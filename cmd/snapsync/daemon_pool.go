package main

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine"
)

// defaultPool is how many steps the mappings of a process execute at once, all of them together, unless
// a person says otherwise. It is what a single mapping takes at most when it finds out by itself (engine), so that
// one alone is never held up by it, and so that twenty, which would be 5,120, are no more to the machine, the uplink and
// the servers than one: each step is a file that is open, mostly a connection too, and up to some MiB of
// buffers. Steps are let in in the order in which they come, whichever mapping they are of. A mapping
// whose `transfers` asks for more on its own gets it.
const defaultPool = engine.MaxTransfers

// poolCeiling is more than any pool has.
const poolCeiling = 1 << 20

// pool is the slots that all mappings of a process share. Its size can be changed while they are used.
type pool struct {
	slots *semaphore.Weighted // of poolCeiling, of which the pool keeps what nobody may have

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

func newPool(size int64) *pool {
	p := &pool{slots: semaphore.NewWeighted(poolCeiling), kept: poolCeiling - size}
	p.slots.TryAcquire(p.kept) // nobody has any yet
	return p
}

// resize makes room at once. To take room away waits for steps that are under way, while none is begun;
// nobody waits for that.
func (p *pool) resize(size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	missing := poolCeiling - size - p.kept
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
func (p *pool) settle() {
	if p.more == nil {
		return
	}
	p.more.cancel()
	<-p.more.done
	p.kept += p.more.got
	p.more = nil
}

// close ends what goes on by itself.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
}

// poolSize is what --max-transfers means for these mappings.
func (f *processFlags) poolSize(specs []spec) (int64, error) {
	if f.MaxTransfers != "" && !strings.EqualFold(f.MaxTransfers, "auto") {
		n, err := strconv.ParseInt(f.MaxTransfers, 10, 32)
		switch {
		case err != nil || n < 0:
			return 0, exit.Usage("auto, or a number; 0 means no limit", "max-transfers %q: want a number from 0 up, or auto", f.MaxTransfers)
		case n == 0:
			return poolCeiling, nil
		}
		return min(n, poolCeiling), nil
	}
	size := defaultPool
	for i := range specs {
		if n, err := specs[i].parallel(); err == nil { // else prepare says so
			size = max(size, n)
		}
	}
	return int64(min(size, poolCeiling)), nil
}
