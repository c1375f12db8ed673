//go:build linux

package main_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
	"github.com/snapsync/snapsync/engine/loop"
)

var startTries = flag.Int("e2e.starts", 4, "how often a process is started and steered at once")

const lookedAtFor = 4 * time.Second

// Whoever pauses or resumes at the moment in which `run` starts, or ends, is obeyed: neither of the two finds
// the mapping taken by the other.
func TestStaySteeredAtStart(t *testing.T) {
	t.Parallel()
	steer := func(s *staying, word string) chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if said, status := s.run(word); status != 0 {
				t.Errorf("%s ends with %d: %s", word, status, said)
			}
		}()
		return done
	}
	moment := func() { time.Sleep(rand.N(300 * time.Millisecond)) }
	for range *startTries {
		s := newStaying(t)
		if said, status := s.run("run", "--once"); status != 0 { // else there is no mapping to be paused
			t.Fatalf("run --once ends with %d: %s", status, said)
		}
		s.write("f")
		if rand.N(2) == 0 {
			s.start()
			moment()
			<-steer(s, "pause")
		} else {
			paused := steer(s, "pause")
			moment()
			s.start()
			<-paused
		}
		s.await("the pause", func(st *status.Status) bool { return st.State == string(loop.Paused) })
		s.stop()

		s.start()
		moment()
		a, b := steer(s, "resume"), steer(s, "resume")
		<-a
		<-b
		s.mirrors("all")
		ended := steer(s, "pause") // just when it ends
		s.stop()
		<-ended
		if t.Failed() {
			return
		}
	}
}

// Who looks is never in the way of who works, nor the reverse: a run makes the journal's log and its index and
// takes them away again just when somebody reads.
func TestStayLookedAt(t *testing.T) {
	t.Parallel()
	s := newStaying(t)
	s.write("f")
	if said, status := s.run("run", "--once"); status != 0 {
		t.Fatalf("run --once ends with %d: %s", status, said)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lookedAtFor)
	defer cancel()
	var both sync.WaitGroup
	for _, args := range [][]string{{"run", "--once"}, {"status"}, {"status"}} {
		both.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if args[0] == "run" {
					s.write("f", strconv.Itoa(n))
				}
				if said, status := s.run(args...); status != 0 {
					t.Errorf("%q ends with %d: %s", args, status, said)
					cancel()
				}
			}
		})
	}
	both.Wait()
}

// Who starts another process while the one before it is ending, with an upload under way, gets the mapping as soon
// as that has ended.
func TestStayHandedOver(t *testing.T) {
	t.Parallel()
	s := newStaying(t)
	s.write("f")
	s.start("--bwlimit", "512k")
	s.await("the start", in(loop.Idle))
	s.write("big", strings.Repeat("x", 2<<20))
	s.await("an upload", func(st *status.Status) bool { return len(st.Live.Transfers) > 0 })
	before, ended := s.process, s.ended
	s.must(before.Process.Signal(syscall.SIGTERM))
	s.start()
	if err := <-ended; err != nil {
		t.Errorf("the first ended with %v", err)
	}
	s.mirrors("all")
	s.stop()
}
