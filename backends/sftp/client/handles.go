package client

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
)

// handles bounds how many handles a session has open, or asks for, by what the server told, and by what it refused: most
// servers with a limit do not tell. A handle counts until the server has answered its close.
//
// An open that is refused without words, while others are open, lowers the bound to those at once. The bound is raised by
// one after a while of opens that went well, so a refusal for another reason costs little.
type handles struct {
	refusals *atomic.Int64 // of opens, over all sessions of the pool

	mu      sync.Mutex // guards what follows
	told    int        // the server's limit; 0: none that we know
	most    int        // the bound; 0: none
	held    int
	well    int  // opens that went well since most was changed
	few     bool // a refused open went well later: the number it was
	waiting []chan struct{}
}

const (
	openTries = 6                     // at one open that is refused without words
	openPause = 25 * time.Millisecond // before the second, and twice as long each time, where nothing of ours is open
	raiseFrom = 8                     // times most opens go well before one more is tried
)

// learn takes in the limit that a server told; 0 means that it has none.
func (h *handles) learn(most uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = int(min(most, 1<<20))
	h.most = h.told
}

// acquire waits until one more handle may be open. It returns false when ctx is done or the session has ended.
func (h *handles) acquire(ctx context.Context, ended <-chan struct{}) bool {
	h.mu.Lock()
	if h.fits() {
		h.held++
		h.mu.Unlock()
		return true
	}
	turn := make(chan struct{})
	h.waiting = append(h.waiting, turn)
	h.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
	case <-ended:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, w := range h.waiting {
		if w == turn {
			h.waiting = append(h.waiting[:i], h.waiting[i+1:]...)
			return false
		}
	}
	h.give() // the turn came meanwhile, and goes to the next
	return false
}

// release takes back what acquire gave.
func (h *handles) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.give()
}

// opened notes that an open went well.
func (h *handles) opened(again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.few = h.few || again
	if h.well++; h.most > 0 && h.most != h.told && h.well >= raiseFrom*h.most {
		h.most, h.well = h.most+1, 0
		h.next()
	}
}

// refused takes back what acquire gave for an open that was refused without words, and tells whether to try again, and
// whether nothing of this session is open, so that no close will tell when.
func (h *handles) refused() (again, alone bool) {
	h.refusals.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	alone = h.held == 1
	if bound := max(1, h.held-1); h.most == 0 || bound < h.most {
		h.most = bound
	}
	h.well = 0
	h.give()
	return !alone || h.few, alone
}

// What follows is called with the lock held.

func (h *handles) fits() bool { return h.most == 0 || h.held < h.most }

func (h *handles) give() {
	h.held--
	h.next()
}

func (h *handles) next() {
	for len(h.waiting) > 0 && h.fits() {
		h.held++
		close(h.waiting[0])
		h.waiting = h.waiting[1:]
	}
}

// Open sends a request that is answered by a handle, once one more may be open.
func (s *Session) Open(ctx context.Context, r Request) (handle string, err error) {
	h := &s.Budget.handles
	for n := 1; ; n++ {
		if !h.acquire(ctx, s.ended) {
			return "", s.stopped(ctx)
		}
		f := s.Send(r)
		replies, err := s.Await(ctx, f)
		if err != nil {
			s.closeLate(f)
			return "", err
		}
		handle, err := replies[0].Handle()
		switch {
		case err == nil:
			h.opened(n > 1)
			return handle, nil
		case !wordless(err):
			h.release()
			return "", err
		}
		again, alone := h.refused()
		if !again || n == openTries {
			return "", err
		}
		if alone {
			select {
			case <-time.After(openPause << (n - 1)):
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
}

// stopped says why a wait for the session was given up.
func (s *Session) stopped(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.err // constant once ended is closed
}

// closeLate closes the handle that may still answer an open which nobody waits for.
func (s *Session) closeLate(f *Batch) {
	s.loops.Go(func() {
		select {
		case <-f.done:
		case <-s.ended:
			return
		}
		if handle, err := f.replies[0].Handle(); err == nil {
			s.Send(Close(handle))
		} else {
			s.Budget.handles.release()
		}
	})
}

// wordless reports a refusal that may mean that too many handles are open: version 3 has no code for that.
func wordless(err error) bool {
	if !HasCode(err, FXFailure) || remote.Class(err) != "error" {
		return false
	}
	text := strings.ToLower(statusText(err))
	if text == "" || strings.Trim(text, ".! ") == "failure" {
		return true
	}
	return strings.Contains(text, "too many") || strings.Contains(text, "handle")
}
