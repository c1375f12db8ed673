package status

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/event"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Activity is what is under way in one mapping, and what was done lately: for status, the events, the
// progress of a run and the live view. It is told by the engine, from several goroutines, and costs a short
// critical section for each event.
type Activity struct {
	now func() time.Time

	mu     sync.Mutex
	active map[string]*transfer // uploads in flight, by path
	rate   rate
	phase  string // what the engine said last that it does

	// Of the last plan. What is planned beside long transfers is not counted.
	steps, planned int64 // planned: bytes
	left           int64 // of planned
	doneBefore     int64 // done when it began

	recent [recentKept]Recent // a ring; the newest is at done-1
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

// Recent is a step that ended.
type Recent struct {
	Step *journal.Step
	Err  error
	At   time.Time
}

// NewActivity returns one of a mapping of which nothing is under way.
func NewActivity() *Activity { return &Activity{now: time.Now, active: make(map[string]*transfer)} }

// Observe takes in one event of the engine.
func (f *Activity) Observe(ev event.Event) {
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
func (f *Activity) end(ev event.Event) {
	if t := f.active[ev.Step.Path]; t != nil {
		f.left -= t.size - t.bytes // it failed, or the remote had a part of it
		delete(f.active, ev.Step.Path)
	}
	f.recent[f.done%recentKept] = Recent{ev.Step, ev.Err, f.now()}
	f.done++
	if ev.Err == nil {
		size := int64(0) // of what a move or a copy saved nothing is told
		if s := ev.Step; s.Action == journal.Send && s.How == journal.Upload && s.New != nil {
			size = s.New.Size
		}
		f.since.Add(ev.Step, size)
		return
	}
	f.since.Failed++
	if len(f.since.Failures) < text.MaxShown && !passing(ev.Err) {
		f.since.Failures = append(f.since.Failures, engine.Failure{Path: ev.Step.Path, Err: ev.Err})
	}
}

// passing reports whether a step failed for a reason that is not its path's: the remote is away, which the
// state says, it was told to stop, or the file is being written to.
func passing(err error) bool {
	return errors.Is(err, remote.ErrOffline) || errors.Is(err, context.Canceled) || errors.Is(err, snapshot.ErrChanged)
}

// Take returns what was done since the last call: so that cycles which follow each other too quickly to
// be seen one by one are told as one, and none is left out.
func (f *Activity) Take() engine.Summary {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := f.since
	f.since = engine.Summary{}
	return sum
}

// Transfers returns the uploads in flight, the oldest first, bytes per second, and bytes left of what is known.
func (f *Activity) Transfers() (all []Transfer, perSecond, left int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all = make([]Transfer, 0, len(f.active))
	flying := int64(0)
	for _, t := range f.active {
		flying += max(t.size-t.bytes, 0)
		all = append(all, Transfer{
			Path: t.path, PathBytes: text.RawName(t.path), Size: t.size, Done: min(t.bytes, t.size), Since: t.begun.UTC(),
		})
	}
	slices.SortFunc(all, func(a, b Transfer) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Path, b.Path))
	})
	return all, int64(f.rate.at(f.now())), max(f.left, flying)
}

// progress is how far the last plan is.
type progress struct {
	Phase       string // what the engine does
	Done, Total int64  // bytes
	StepsDone   int64
	Steps       int64
	Rate        int64 // bytes per second
	Transfers   []Transfer
}

// Progress returns how far the last plan is.
func (f *Activity) Progress() progress {
	transfers, perSecond, left := f.Transfers()
	f.mu.Lock()
	defer f.mu.Unlock()
	return progress{
		Phase: cmp.Or(f.phase, "starting"), Done: max(f.planned-left, 0), Total: f.planned, StepsDone: f.done - f.doneBefore, Steps: f.steps,
		Rate: perSecond, Transfers: transfers,
	}
}

// Lately returns the last steps that ended, the oldest first.
func (f *Activity) Lately() []Recent {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Recent
	for n := max(f.done-recentKept, 0); n < f.done; n++ {
		out = append(out, f.recent[n%recentKept])
	}
	return out
}
