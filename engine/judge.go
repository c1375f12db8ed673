package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// judge decides what a failure of a step means: it may have happened all the same, another plan may
// find another way, or the base may have been wrong about the remote.
func (e *Engine) judge(ctx context.Context, r *result) {
	s := &r.step
	switch {
	case r.err == nil || endsRun(r.err):
		return
	case errors.Is(r.err, errVanished), errors.Is(r.err, snapshot.ErrChanged):
		r.again = true
	case errors.Is(r.err, ErrCannotMove):
		e.refuse(s)
		r.again = true
	case errors.Is(r.err, ErrNotFound) && s.Action == journal.Move:
		e.judgeMove(ctx, r)
	case errors.Is(r.err, ErrNotFound) && s.How == journal.Copy:
		r.forget, r.again = []string{s.From}, true
	case errors.Is(r.err, ErrNotFound) && s.How == journal.Touch:
		r.forget, r.again = []string{s.Path}, true
	}
}

// judgeMove looks after a move whose origin is not there: it happened before, in an attempt whose
// answer was lost, or the remote has lost the origin and the base must learn that.
func (e *Engine) judgeMove(ctx context.Context, r *result) {
	s := &r.step
	there, err := e.conn.Stat(ctx, s.Path)
	switch {
	case err == nil && e.arrived(&there.Entry, s):
		r.err, r.entry = nil, s.New
	case err == nil || errors.Is(err, ErrNotFound):
		r.forget, r.again = []string{s.From}, true
	default:
		r.err = fmt.Errorf("%w; looking for it at its new path: %w", r.err, err)
	}
}

// arrived reports whether what the remote holds at the target of a move is what was to be moved.
func (e *Engine) arrived(there *snapshot.Entry, s *journal.Step) bool {
	if s.Dir || there.Kind == snapshot.Dir {
		return s.Dir && there.Kind == snapshot.Dir
	}
	return there.Size == s.Old.Size && sameTime(there.Mtime, s.Old.Mtime, e.caps.Precision)
}

// sameTime compares two mtimes as far as a remote can keep them; always true if it keeps none.
func sameTime(a, b int64, precision time.Duration) bool {
	if precision <= 0 {
		return true
	}
	return time.Duration(max(a, b)-min(a, b)) < max(precision, 1)
}

// refuse remembers that this remote cannot do such a move. Workers call it concurrently.
func (e *Engine) refuse(s *journal.Step) {
	e.refusedMu.Lock()
	defer e.refusedMu.Unlock()
	if s.Dir {
		e.refused.dirMove = true
	} else {
		e.refused.move = true
	}
}
