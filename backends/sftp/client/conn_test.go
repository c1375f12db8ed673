package client

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// wire is a connection whose writes are seen.
type wire struct {
	net.Conn
	mu     sync.Mutex
	writes [][]byte
	err    error
	wrote  chan struct{} // has room for one
}

func newWire() *wire { return &wire{wrote: make(chan struct{}, 1)} }

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, bytes.Clone(b))
	select {
	case w.wrote <- struct{}{}:
	default:
	}
	return len(b), w.err
}

func (w *wire) all() (writes int, content []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.writes), bytes.Join(w.writes, nil)
}

// TestCork: what is written between cork and uncork is one write, unless it is much, and never lost or late.
func TestCork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWire()
		l := &conn{Conn: w}
		var want []byte
		parts := 0
		began := time.Now()
		l.cork()
		for range rapid.IntRange(0, 20).Draw(t, "writes") {
			b := bytes.Repeat([]byte{byte(parts)}, rapid.SampledFrom([]int{0, 1, 4092, 28 << 10, heldMost + 1}).Draw(t, "size"))
			if n, err := l.Write(b); n != len(b) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
			want = append(want, b...)
			parts++
		}
		if err := l.uncork(); err != nil {
			t.Fatal(err)
		}
		writes, got := w.all()
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes arrived of %d", len(got), len(want))
		}
		if most := 1 + len(want)/heldMost; writes > most && time.Since(began) < heldLong {
			t.Fatalf("%d writes of %d bytes, at most %d are needed", writes, len(want), most)
		}
	})
}

// TestCorkStuck: who is stuck between cork and uncork is not waited for.
func TestCorkStuck(t *testing.T) {
	w := newWire()
	l := &conn{Conn: w}
	for round := range 2 {
		l.cork()
		if _, err := l.Write([]byte("packet")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.wrote:
		case <-time.After(10 * time.Second):
			t.Fatalf("round %d: nothing was written", round)
		}
		before, _ := w.all()
		if _, err := l.Write([]byte("next")); err != nil {
			t.Fatal(err)
		}
		if after, _ := w.all(); after != before+1 {
			t.Errorf("round %d: who was stuck is kept waiting again", round)
		}
		<-w.wrote
	}
	l.cork()
	w.mu.Lock()
	w.err = errors.New("broken pipe")
	w.mu.Unlock()
	if _, err := l.Write([]byte("packet")); err != nil {
		t.Fatal("it was held, and could not fail:", err)
	}
	<-w.wrote
	if err := l.uncork(); !errors.Is(err, w.err) {
		t.Errorf("uncork after a late write that failed: %v", err)
	}
	if _, err := l.Write([]byte("packet")); !errors.Is(err, w.err) {
		t.Errorf("Write after it: %v", err)
	}
}

// TestQueue: packets leave in their order, whether their content is lent or copied.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lending queue
		for range 2 { // a queue is used again
			var want []byte
			n := rapid.IntRange(0, 8).Draw(t, "requests")
			for id := range uint32(n) {
				r := newRequest(fxpStat, "/some/path")
				if rapid.Bool().Draw(t, "write") {
					r = Write("h", int64(id)<<33, rapid.SliceOf(rapid.Byte()).Draw(t, "content"))
				}
				want = r.appendTo(want, id)
				r.lent = rapid.Bool().Draw(t, "lent")
				lending.add(&r, id)
			}
			if lending.requests != n || lending.bytes != len(want) {
				t.Fatalf("%d requests and %d bytes instead of %d and %d", lending.requests, lending.bytes, n, len(want))
			}
			var got bytes.Buffer
			if err := lending.writeTo(&got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("got  %x\nwant %x", got.Bytes(), want)
			}
			lending.clear()
		}
	})
}

type closing struct{ io.Writer }

func (closing) Close() error { return nil }

// TestGather: while the server owes answers a request waits for company, but not for long, whether or not the
// server says anything.
func TestGather(t *testing.T) {
	stat := newRequest(fxpStat, "/path")
	content := Write("h", 0, make([]byte, enoughBytes))
	for name, tt := range map[string]struct {
		owed   int
		queued int
		with   Request
		want   bool
	}{
		"an idle server":      {0, 0, stat, false},
		"a server that waits": {enoughOwed - 1, 0, stat, false},
		"a busy server":       {enoughOwed, 0, stat, true},
		"some company":        {enoughOwed, enoughQueued - 2, stat, true},
		"enough of it":        {enoughOwed, enoughQueued - 1, stat, false},
		"much content":        {enoughOwed, 0, content, false},
	} {
		s := &Session{owed: owed{slots: make(map[uint32]slot)}}
		add := func(r Request) {
			s.owed.last++
			s.owed.slots[s.owed.last] = slot{newBatch(1), 0, false}
			s.queue.add(&r, s.owed.last)
		}
		for range tt.owed {
			add(stat)
		}
		s.queue.clear() // they were written
		for range tt.queued {
			add(stat)
		}
		add(tt.with)
		if got := s.gathers(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
		if s.queue.since = time.Now().Add(-gatherTime); s.gathers() {
			t.Errorf("%s: it goes on for longer than %v", name, gatherTime)
		}
	}
}

// TestGatherSilent: what is held back leaves although the server is silent.
func TestGatherSilent(t *testing.T) {
	w := newWire()
	s := &Session{conn: &conn{Conn: w}, owed: owed{slots: make(map[uint32]slot)}, ended: make(chan struct{})}
	s.out, s.ready.L = closing{s.conn}, &s.mu
	s.loops.Go(s.write)
	defer func() {
		s.mu.Lock()
		s.err = io.EOF
		s.mu.Unlock()
		s.ready.Broadcast()
		s.loops.Wait()
	}()
	const requests = 3 * enoughQueued
	for range requests {
		s.Send(newRequest(fxpStat, "/path"))
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Microsecond) {
		_, got := w.all()
		n := bytes.Count(got, []byte("/path"))
		if n == requests {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d requests were written", n, requests)
		}
	}
}
