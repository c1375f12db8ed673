package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// recover finds out what became of steps that were started and never acknowledged, because this
// program was killed or because the remote's answer was lost. Without it the base would miss what
// they did, and a source that was edited meanwhile would never lead back to it.
//
// Of steps that overlap only the first can have been started (see execute.go), so each is judged by
// itself, by what the remote now holds at its paths. A crash anywhere in here finds the same steps in
// doubt again.
func (e *Engine) recover(ctx context.Context) error {
	steps, err := e.doubtful()
	if err != nil || len(steps) == 0 {
		return err
	}
	if err := e.connect(ctx); err != nil {
		return err // and nothing is planned anew: what was started must not be forgotten
	}
	e.phase("recovering")
	e.cfg.Log.Info("looking at what an interrupted run may have done", "steps", len(steps))
	f := finding{e: e}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(max(e.caps.Transfers, defaultTransfers))
	for i := range steps {
		group.Go(func() error { return f.find(gctx, &steps[i]) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("look at what an interrupted run may have done: %w", err)
	}
	return f.write(ctx)
}

// doubtful returns the steps whose outcome nobody knows.
func (e *Engine) doubtful() ([]journal.Step, error) {
	if e.executed {
		return e.doubts, nil
	}
	claimed, err := e.cfg.Journal.Started()
	if err != nil {
		return nil, err
	}
	var started []journal.Step
	seen := newClaims(&e.caps)
	for i := range claimed {
		if s := &claimed[i]; !seen.overlaps(s) {
			started = append(started, *s)
			seen.add(s)
		}
	}
	return started, nil
}

// noteDoubts ends an execution: what it started and did not acknowledge did not happen, but for the
// steps that failed in doubt.
func (e *Engine) noteDoubts(doubts []journal.Step) error {
	e.doubts, e.executed = doubts, true
	if len(doubts) > 0 {
		return nil // the journal keeps all that was claimed in doubt, should this process end here
	}
	return e.cfg.Journal.Settle(e.cfg.Now())
}

// finding collects what became of the steps in doubt.
type finding struct {
	e *Engine

	mu     sync.Mutex // guards what follows
	done   []journal.Done
	wrong  []journal.Refresh // what the remote holds where the base is wrong
	absent []string          // what it does not hold, with everything beneath
	relist bool              // only a listing can tell
}

func (f *finding) find(ctx context.Context, s *journal.Step) error {
	there, err := f.stat(ctx, s.Path)
	if err != nil {
		return err
	}
	var origin *Remote
	if s.Action == journal.Move {
		if origin, err = f.stat(ctx, s.From); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case s.Action == journal.Delete && there == nil:
		f.done = append(f.done, journal.Done{Step: *s, At: f.e.cfg.Now()})
	case s.Action == journal.Move && origin == nil && there != nil && s.Dir == (there.Entry.Kind == snapshot.Dir):
		f.done = append(f.done, journal.Done{Step: *s, Entry: s.New, At: f.e.cfg.Now()})
	case s.Action == journal.Move && s.Dir && origin != nil && there != nil:
		f.relist = true // half a move: this remote moves directories file by file
	case s.Action == journal.Move:
		if origin == nil {
			f.absent = append(f.absent, s.From)
		}
		return f.correct(s.Path, there)
	default:
		return f.correct(s.Path, there)
	}
	return nil
}

// stat returns what the remote holds at path, or nil.
func (f *finding) stat(ctx context.Context, path string) (*Remote, error) {
	var r Remote
	err := f.e.attempt(ctx, &journal.Step{Path: path}, func() (err error) {
		r, err = f.e.conn.Stat(ctx, path)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("stat %q: %w", path, err)
	}
	return &r, nil
}

// correct compares what the remote holds at path with the base. Where they disagree the base learns
// it as if it was adopted: the next look compares it with the source.
func (f *finding) correct(path string, there *Remote) error {
	base, err := f.e.cfg.Journal.Lookup(path)
	switch {
	case err != nil:
		return err
	case there == nil && base != nil:
		f.absent = append(f.absent, path)
	case there == nil, base != nil && f.e.agrees(base, there):
	default:
		entry := f.e.adopted(there)
		f.wrong = append(f.wrong, journal.Refresh{Path: path, Entry: &entry})
	}
	return nil
}

// agrees reports whether the remote still holds what the base says. Where no mtime can tell, it is
// not believed: the same size may be the old content or the new.
func (e *Engine) agrees(base *snapshot.Entry, there *Remote) bool {
	now := &there.Entry
	if base.Kind != now.Kind || base.Kind == snapshot.Dir {
		return base.Kind == now.Kind
	}
	return base.Size == now.Size && e.keepsTimes() && sameTime(base.Mtime, now.Mtime, e.caps.Precision)
}

// write makes the findings durable, and with them the end of the doubt.
func (f *finding) write(ctx context.Context) error {
	j := f.e.cfg.Journal
	if err := j.Ack(f.done); err != nil {
		return err
	}
	if err := f.e.forget(f.absent); err != nil {
		return err
	}
	if len(f.wrong) > 0 {
		if err := j.Repair(f.wrong); err != nil {
			return err
		}
	}
	if f.relist {
		if err := f.e.adopt(ctx); err != nil {
			return err
		}
	}
	f.e.doubts, f.e.executed = nil, true
	return j.Settle(f.e.cfg.Now())
}

// forget removes from the base what the remote turned out not to hold, with everything beneath.
func (e *Engine) forget(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	reader, err := e.cfg.Journal.Reader()
	if err != nil {
		return err
	}
	var fixes []journal.Refresh
	for ; len(paths) > 0 && err == nil; paths = paths[1:] {
		fixes = append(fixes, journal.Refresh{Path: paths[0]})
		err = eachChild(reader, paths[0], func(path string, _ *snapshot.Entry) { paths = append(paths, path) })
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
