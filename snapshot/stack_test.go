package snapshot

import (
	"testing"
	"testing/synctest"
)

// TestStackWaits: a worker that finds no job stays as long as another may still add some.
func TestStackWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(job{path: "first"})
		if j, ok := s.pop(); !ok || j.path != "first" {
			t.Fatalf("pop: %+v, %v", j, ok)
		}
		got := make(chan string, 4)
		for range 2 {
			go func() {
				defer func() { got <- "end" }()
				for {
					j, ok := s.pop()
					if !ok {
						return
					}
					got <- j.path
					s.done(nil)
				}
			}()
		}
		synctest.Wait()
		if len(got) > 0 {
			t.Fatalf("got %q while there was nothing", <-got)
		}
		s.done([]job{{path: "second"}})
		synctest.Wait()
		if len(got) != 3 {
			t.Errorf("%d messages, want a job and two ends", len(got))
		}
	})
}

// TestStackCloses: whoever waits is let go, whatever is left.
func TestStackCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(job{path: "first"})
		s.pop()
		gone := make(chan bool, 1)
		go func() { _, ok := s.pop(); gone <- !ok }()
		synctest.Wait()
		s.close()
		if !<-gone {
			t.Error("got a job from a closed stack")
		}
		s.done([]job{{path: "second"}})
		if j, ok := s.pop(); ok {
			t.Errorf("got %+v from a closed stack", j)
		}
	})
}
