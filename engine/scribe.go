package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Acknowledgements are committed in groups, since a commit waits for the disk. A crash loses at most
// one group: those steps are simply run again.
const (
	ackGroup = 512
	ackDelay = 100 * time.Millisecond
)

// scribe is the one goroutine that reads and writes the journal while steps are executed.
type scribe struct {
	e      *Engine
	pages  chan []journal.Step // claimed steps, in order; closed after the last
	inbox  chan result         // what became of them; closed by the dispatcher when nothing is under way
	failed chan struct{}       // closed when the journal cannot be written any more

	done     []journal.Done
	failures []journal.Failure
	forget   []string
}

func newScribe(e *Engine) *scribe {
	return &scribe{
		e: e, pages: make(chan []journal.Step), failed: make(chan struct{}),
		inbox: make(chan result, ackGroup),
	}
}

// run serves until inbox is closed. Whatever happens it keeps emptying inbox, so that nobody waits
// for it in vain.
func (s *scribe) run() error {
	err := s.serve()
	if err != nil {
		close(s.failed)
		for range s.inbox {
		}
	}
	return err
}

func (s *scribe) serve() error {
	tick := time.NewTicker(ackDelay)
	defer tick.Stop()
	pages := s.pages // nil after the last page
	defer func() {
		if pages != nil {
			close(pages)
		}
	}()
	var page []journal.Step
	for after := int64(0); ; {
		if page == nil && pages != nil {
			var err error
			if page, err = s.next(after); err != nil {
				return err
			}
			if len(page) == 0 {
				close(pages)
				pages = nil
				continue
			}
			after = page[len(page)-1].Seq
		}
		out := pages
		if page == nil {
			out = nil
		}
		select {
		case out <- page:
			page = nil
		case r, ok := <-s.inbox:
			if !ok {
				return s.flush()
			}
			if s.note(&r); len(s.done) >= ackGroup {
				if err := s.flush(); err != nil {
					return err
				}
			}
		case <-tick.C:
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
}

// next reads a page of pending steps and claims it. A crash after the claim and before any
// acknowledgement leaves steps that may or may not have happened: they are planned again, and the
// temporary names that they may have left are remembered by the next Begin.
func (s *scribe) next(after int64) ([]journal.Step, error) {
	page, err := s.e.cfg.Journal.Pending(after, pageSteps)
	if err != nil {
		return nil, fmt.Errorf("read pending steps: %w", err)
	}
	if len(page) == 0 {
		return nil, nil
	}
	if err := s.e.cfg.Journal.Claim(page[len(page)-1].Seq); err != nil {
		return nil, fmt.Errorf("claim steps: %w", err)
	}
	return page, nil
}

func (s *scribe) note(r *result) {
	now := s.e.cfg.Now()
	switch {
	case r.err == nil:
		s.done = append(s.done, journal.Done{Step: r.step, Entry: r.entry, At: now})
	case !endsRun(r.err):
		s.failures = append(s.failures, journal.Failure{
			Path: r.step.Path, Class: class(r.err), Message: r.err.Error(), At: now,
		})
	}
	s.forget = append(s.forget, r.forget...)
}

// flush makes everything noted durable. A crash before it repeats the steps; a crash after it does not.
func (s *scribe) flush() error {
	var err error
	if len(s.done) > 0 {
		err = s.e.cfg.Journal.Ack(s.done)
	}
	if len(s.failures) > 0 && err == nil {
		err = s.e.cfg.Journal.Fail(s.failures)
	}
	if len(s.forget) > 0 && err == nil {
		err = s.e.forget(s.forget)
	}
	s.done, s.failures, s.forget = s.done[:0], s.failures[:0], s.forget[:0]
	return err
}

// forget removes from the base what the remote turned out not to hold, with everything beneath.
func (e *Engine) forget(paths []string) error {
	var fixes []journal.Refresh
	reader, err := e.cfg.Journal.Reader()
	if err != nil {
		return err
	}
	for ; len(paths) > 0; paths = paths[1:] {
		fixes = append(fixes, journal.Refresh{Path: paths[0]})
		err = errors.Join(err, eachChild(reader, paths[0], func(path string, entry *snapshot.Entry) {
			if entry.Kind == snapshot.Dir {
				paths = append(paths, path)
				return
			}
			fixes = append(fixes, journal.Refresh{Path: path})
		}))
	}
	if err := errors.Join(err, reader.Close()); err != nil {
		return err
	}
	return e.cfg.Journal.Repair(fixes)
}

// eachChild calls fn for what the base holds directly in dir.
func eachChild(r snapshot.BaseReader, dir string, fn func(path string, entry *snapshot.Entry)) error {
	if err := r.Open(dir); err != nil {
		return err
	}
	for {
		name, entry, err := r.Next()
		if err != nil || name == nil {
			return err
		}
		fn(snapshot.Join(dir, string(name)), entry)
	}
}
