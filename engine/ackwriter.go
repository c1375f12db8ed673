package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// Acknowledgements are committed in groups, since a commit waits for the disk. A crash loses at most
// one group: those steps are simply run again.
const (
	ackGroup = 512
	ackDelay = 100 * time.Millisecond
)

// ackWriter is the one goroutine that reads and writes the journal while steps are executed.
type ackWriter struct {
	r       *run
	pages   chan []journal.Step // claimed steps, in order; closed after the last
	inbox   chan note           // closed by the dispatcher when nothing is under way
	written chan []journal.Step // steps whose acknowledgement is durable
	failed  chan struct{}       // closed when the journal cannot be written any more

	after    int64          // Seq of the last step read
	upTo     int64          // Seq of the last step of a second reading, from the first; 0: there is none
	last     int64          // Seq that this reading ends with; 0: the last one
	page     []journal.Step // read and claimed, not yet handed out
	done     []journal.Done
	failures []journal.Failure
	durable  []journal.Step // not yet told to the dispatcher
}

// note is what the dispatcher tells the ackWriter.
type note struct {
	result result
	hurry  bool // no result: somebody waits for what was noted so far
}

func newAckWriter(r *run) *ackWriter {
	return &ackWriter{
		r: r, pages: make(chan []journal.Step), written: make(chan []journal.Step),
		failed: make(chan struct{}), inbox: make(chan note, ackGroup),
	}
}

// run serves until inbox is closed. Whatever happens it keeps emptying inbox, so that nobody waits
// for it in vain.
func (s *ackWriter) run() error {
	err := s.serve()
	if err != nil {
		close(s.failed)
		for range s.inbox {
		}
	}
	return err
}

func (s *ackWriter) serve() error {
	tick := time.NewTicker(ackDelay)
	defer tick.Stop()
	pages := s.pages // nil after the last page
	defer func() {
		if pages != nil {
			close(pages)
		}
	}()
	for {
		if s.page == nil && pages != nil {
			if err := s.next(); err != nil {
				return err
			}
			if s.page == nil {
				close(pages)
				pages = nil
			}
		}
		out, written := pages, s.written
		if s.page == nil {
			out = nil
		}
		if len(s.durable) == 0 {
			written = nil
		}
		var err error
		select {
		case out <- s.page:
			s.page = nil
		case written <- s.durable:
			s.durable = nil
		case n, open := <-s.inbox:
			if !open {
				return s.flush()
			}
			err = s.note(&n)
		case <-tick.C:
			err = s.flush()
		}
		if err != nil {
			return err
		}
	}
}

// startAfter has the steps that come after a number read first, and then the others.
func (s *ackWriter) startAfter(seq int64) { s.after, s.upTo = seq, seq }

// next reads a page of pending steps and claims it; nil after the last. A crash after the claim and
// before any acknowledgement leaves steps that may or may not have happened: see recover.go.
func (s *ackWriter) next() error {
	page, err := s.r.cfg.Journal.Pending(s.after, pageSteps)
	if err != nil {
		return fmt.Errorf("read pending steps: %w", err)
	}
	if len(page) == 0 && s.upTo > 0 {
		s.after, s.last, s.upTo = 0, s.upTo, 0
		return s.next()
	}
	if s.last > 0 {
		page = slices.DeleteFunc(page, func(step journal.Step) bool { return step.Seq > s.last })
	}
	if len(page) == 0 {
		return nil
	}
	s.after = page[len(page)-1].Seq
	if err := s.r.cfg.Journal.Claim(s.after); err != nil {
		return fmt.Errorf("claim steps: %w", err)
	}
	s.page = page
	return nil
}

func (s *ackWriter) note(n *note) error {
	r, now := &n.result, s.r.cfg.Now()
	switch {
	case n.hurry:
		return s.flush()
	case r.err == nil:
		s.done = append(s.done, journal.Done{Step: r.step, Entry: r.entry, At: now})
	case !endsRun(r.err):
		s.failures = append(s.failures, journal.Failure{
			Path: r.step.Path, Class: remote.Class(r.err), Message: r.err.Error(), At: now,
		})
	}
	if len(s.done) < ackGroup {
		return nil
	}
	return s.flush()
}

// flush makes everything noted durable. A crash before it leaves the steps in doubt; a crash after it
// does not.
func (s *ackWriter) flush() error {
	if len(s.done) > 0 {
		if err := s.r.cfg.Journal.Ack(s.done); err != nil {
			return err
		}
		for i := range s.done {
			s.durable = append(s.durable, s.done[i].Step)
		}
	}
	if len(s.failures) > 0 {
		if err := s.r.cfg.Journal.Fail(s.failures); err != nil {
			return err
		}
	}
	s.done, s.failures = s.done[:0], s.failures[:0]
	return nil
}
