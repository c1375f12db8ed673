package execute

import (
	"fmt"
	"slices"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// PageSteps are claimed at once, the first of them with their plan. With those claimed ahead, and a batch of deletes, a crash
// leaves some times as many in doubt.
const PageSteps = 256

// Acknowledgements are committed in groups, since a commit waits for the disk. A crash loses at most
// one group: those steps are simply run again.
const (
	ackGroup = 512
	ackDelay = 100 * time.Millisecond
)

// ackWriter is the one goroutine that reads and writes the journal while steps are executed.
type ackWriter struct {
	journal *journal.Journal
	now     func() time.Time
	pages   chan []journal.Step // claimed steps, in order; closed after the last
	inbox   chan report         // closed by the dispatcher when nothing is under way
	written chan []journal.Step // steps whose acknowledgement is durable
	failed  chan struct{}       // closed when the journal cannot be written any more

	after    int64          // Seq of the last step read
	upTo     int64          // Seq up to which steps are read after that, from the first on; 0: none are
	last     int64          // Seq that this reading ends with; 0: the last one
	page     []journal.Step // read and claimed, not yet handed out
	done     []journal.Done
	failures []journal.Failure
	durable  []journal.Step // not yet told to the dispatcher
}

// report is what the dispatcher tells the ackWriter.
type report struct {
	result result
	hurry  bool // no result: somebody waits for what was reported so far
}

func newAckWriter(j *journal.Journal, now func() time.Time) *ackWriter {
	return &ackWriter{
		journal: j, now: now, pages: make(chan []journal.Step), written: make(chan []journal.Step),
		failed: make(chan struct{}), inbox: make(chan report, ackGroup),
	}
}

// run serves until inbox is closed. After an error inbox is still emptied, so that nobody waits in vain.
func (w *ackWriter) run() error {
	err := w.serve()
	if err != nil {
		close(w.failed)
		for range w.inbox {
		}
	}
	return err
}

func (w *ackWriter) serve() error {
	tick := time.NewTicker(ackDelay)
	defer tick.Stop()
	pages := w.pages // nil after the last page
	defer func() {
		if pages != nil {
			close(pages)
		}
	}()
	for {
		if w.page == nil && pages != nil {
			if err := w.next(); err != nil {
				return err
			}
			if w.page == nil {
				close(pages)
				pages = nil
			}
		}
		out, written := pages, w.written
		if w.page == nil {
			out = nil
		}
		if len(w.durable) == 0 {
			written = nil
		}
		var err error
		select {
		case out <- w.page:
			w.page = nil
		case written <- w.durable:
			w.durable = nil
		case n, open := <-w.inbox:
			if !open {
				return w.flush()
			}
			err = w.take(&n)
		case <-tick.C:
			err = w.flush()
		}
		if err != nil {
			return err
		}
	}
}

// next reads a page of pending steps and claims it, unless it is claimed; nil after the last. A crash after the claim and
// before any acknowledgement leaves steps that may or may not have happened.
func (w *ackWriter) next() error {
	page, err := w.journal.Pending(w.after, PageSteps)
	if err != nil {
		return fmt.Errorf("read pending steps: %w", err)
	}
	if len(page) == 0 && w.upTo > 0 {
		w.after, w.last, w.upTo = 0, w.upTo, 0
		return w.next()
	}
	if w.last > 0 {
		page = slices.DeleteFunc(page, func(step journal.Step) bool { return step.Seq > w.last })
	}
	if len(page) == 0 {
		return nil
	}
	w.after = page[len(page)-1].Seq
	if err := w.journal.Claim(w.after); err != nil {
		return fmt.Errorf("claim steps: %w", err)
	}
	w.page = page
	return nil
}

// take keeps one report, and makes what was reported durable if that is much.
func (w *ackWriter) take(n *report) error {
	r, now := &n.result, w.now()
	switch {
	case n.hurry:
		return w.flush()
	case r.err == nil:
		w.done = append(w.done, journal.Done{Step: r.step, Entry: r.entry, At: now})
	case !EndsRun(r.err):
		w.failures = append(w.failures, journal.Failure{
			Path: r.step.Path, Class: remote.Class(r.err), Message: r.err.Error(), At: now,
		})
	}
	if len(w.done) < ackGroup {
		return nil
	}
	return w.flush()
}

// flush makes everything reported durable. A crash before it leaves the steps in doubt; a crash after it
// does not.
func (w *ackWriter) flush() error {
	if len(w.done) > 0 {
		if err := w.journal.Ack(w.done); err != nil {
			return err
		}
		for i := range w.done {
			w.durable = append(w.durable, w.done[i].Step)
		}
	}
	if len(w.failures) > 0 {
		if err := w.journal.Fail(w.failures); err != nil {
			return err
		}
	}
	w.done, w.failures = w.done[:0], w.failures[:0]
	return nil
}
