package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// flight is what is under way in one mapping, and what was done lately: for status, the events, the
// progress of a run and the live view. It is told by the engine, from several goroutines, and costs a short
// critical section for each event.
type flight struct {
	now func() time.Time

	mu     sync.Mutex
	active map[string]*transfer // uploads in flight, by path
	rate   rate
	phase  string // what the engine said last that it does

	// Of the last plan. What is planned beside long transfers is not counted.
	steps, planned int64 // planned: bytes
	left           int64 // of planned
	doneBefore     int64 // done when it began

	recent [recentKept]recentStep // a ring; the newest is at done-1
	done   int64
	since  engine.Summary // what was done since it was last taken: counters, and the first failures
}

// transfer is one upload in flight.
type transfer struct {
	path        string
	begun       time.Time
	size, bytes int64
}

// recentKept is how many steps are remembered for the live view.
const recentKept = 16

// recentStep is a step that ended.
type recentStep struct {
	step *journal.Step
	err  error
	at   time.Time
}

func newFlight() *flight { return &flight{now: time.Now, active: make(map[string]*transfer)} }

// observe takes in one event of the engine.
func (f *flight) observe(ev event.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch ev.Type {
	case event.Phase:
		f.phase = ev.Text
	case event.Planned:
		f.steps, f.planned, f.left, f.doneBefore = ev.Steps, ev.UploadBytes, ev.UploadBytes, f.done
	case event.StepStart:
		if s := ev.Step; s.Action == journal.Send && s.How == journal.Upload {
			f.active[s.Path] = &transfer{path: s.Path, begun: f.now(), size: s.New.Size}
		}
	case event.StepProgress:
		f.rate.add(f.now(), ev.Bytes)
		if t := f.active[ev.Step.Path]; t != nil {
			t.bytes += ev.Bytes
			f.left -= ev.Bytes
		}
	case event.StepRetry:
		if t := f.active[ev.Step.Path]; t != nil {
			f.left += t.bytes
			t.bytes = 0
		}
	case event.StepDone:
		f.end(ev)
	}
}

// end accounts for a step. The caller holds the lock.
func (f *flight) end(ev event.Event) {
	if t := f.active[ev.Step.Path]; t != nil {
		f.left -= t.size - t.bytes // it failed, or the remote had a part of it
		delete(f.active, ev.Step.Path)
	}
	f.recent[f.done%recentKept] = recentStep{ev.Step, ev.Err, f.now()}
	f.done++
	switch s := ev.Step; {
	case ev.Err != nil:
		f.since.Failed++
		if len(f.since.Failures) < text.MaxShown && !passing(ev.Err) {
			f.since.Failures = append(f.since.Failures, engine.Failure{Path: ev.Step.Path, Err: ev.Err})
		}
	case s.Action == journal.Move:
		f.since.Moved++
	case s.Action == journal.Delete && !s.Dir:
		f.since.Deleted++
	case s.Action == journal.Delete:
	case s.How == journal.Copy:
		f.since.Copied++
	case s.How == journal.Touch:
		f.since.Touched++
	default:
		f.since.Sent++
		if s.How == journal.Upload && s.New != nil {
			f.since.UploadBytes += s.New.Size
		}
	}
}

// passing reports whether a step failed for a reason that is not its path's: the remote is away, which the
// state says, it was told to stop, or the file is being written to.
func passing(err error) bool {
	return errors.Is(err, remote.ErrOffline) || errors.Is(err, context.Canceled) || errors.Is(err, snapshot.ErrChanged)
}

// take returns what was done since the last call: so that cycles which follow each other too quickly to
// be seen one by one are told as one, and none is left out.
func (f *flight) take() engine.Summary {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := f.since
	f.since = engine.Summary{}
	return sum
}

// transfers are the uploads in flight, the oldest first, bytes per second, and how many are left of what is known.
func (f *flight) transfers() (all []control.Transfer, perSecond, left int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all = make([]control.Transfer, 0, len(f.active))
	flying := int64(0)
	for _, t := range f.active {
		flying += max(t.size-t.bytes, 0)
		all = append(all, control.Transfer{
			Path: t.path, PathBytes: text.RawName(t.path), Size: t.size, Done: min(t.bytes, t.size), Since: t.begun.UTC(),
		})
	}
	slices.SortFunc(all, func(a, b control.Transfer) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Path, b.Path))
	})
	return all, int64(f.rate.at(f.now())), max(f.left, flying)
}

// lately are the last steps that ended, the oldest first.
func (f *flight) lately() []recentStep {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []recentStep
	for n := max(f.done-recentKept, 0); n < f.done; n++ {
		out = append(out, f.recent[n%recentKept])
	}
	return out
}
