package daemon

import (
	"context"
	"testing"
	"time"
)

// free counts the slots that can be had at this moment.
func (p *slots) free() (n int64) {
	for p.all.TryAcquire(1) {
		n++
	}
	p.all.Release(n)
	return n
}

// A pool grows at once, and shrinks as steps end; a wish that comes meanwhile replaces the one before.
func TestPoolResizes(t *testing.T) {
	p := newSlots(5)
	defer p.close()
	if n := p.free(); n != 5 {
		t.Fatalf("%d slots, want 5", n)
	}
	take := func(n int64) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for range n {
			if err := p.all.Acquire(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	take(4)
	p.resize(2) // four are under way
	for end := time.Now().Add(10 * time.Second); p.free() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("slots are free while too many are taken")
		}
	}
	p.all.Release(2) // two are
	if p.all.TryAcquire(1) {
		t.Error("a third step was begun")
	}
	p.all.Release(1)
	take(1)
	if n := p.free(); n != 0 {
		t.Errorf("%d slots more than two", n)
	}
	p.resize(1) // waits
	p.resize(7)
	take(5)
	if n := p.free(); n != 0 {
		t.Errorf("%d slots more than seven", n)
	}
	p.all.Release(7)
	p.resize(3)
	if n := p.free(); n != 3 {
		t.Errorf("%d slots, want 3", n)
	}
}
