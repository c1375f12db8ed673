package engine

import (
	"errors"
	"io/fs"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// classify decides what a failure of a step means: whether it may have happened all the same, and
// whether another plan, made from another look, may find another way.
func (r *run) classify(done *result) {
	switch err := done.err; {
	case err == nil:
	case errors.Is(err, remote.ErrCannotMove):
		r.refuse(&done.step)
		done.again = true
	case errors.Is(err, errVanished), errors.Is(err, snapshot.ErrChanged):
		done.again = true
	case errors.Is(err, remote.ErrNotFound):
		done.again = true // the base was wrong about the remote: recovery will look
	}
}

// certain reports whether an attempt that ended with err did nothing to the remote.
func certain(err error) bool {
	for _, c := range [...]error{
		remote.ErrCannotMove, remote.ErrPermission, remote.ErrInvalidName, remote.ErrQuota, errVanished, snapshot.ErrChanged, fs.ErrPermission,
	} {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

// sameTime compares two mtimes as far as a remote can keep them; always true if it keeps none.
func sameTime(a, b int64, precision time.Duration) bool {
	if precision <= 0 {
		return true
	}
	return time.Duration(max(a, b)-min(a, b)) < max(precision, 1)
}

// refuse remembers that this remote cannot do such a move, copy or touch. Workers call it concurrently.
func (r *run) refuse(s *journal.Step) {
	r.refusedMu.Lock()
	defer r.refusedMu.Unlock()
	switch {
	case s.How == journal.Touch:
		r.refused.SetMetadata = true
	case s.Action == journal.Send:
		r.refused.Copy = true
	case s.Dir:
		r.refused.DirMove = true
	default:
		r.refused.Move = true
	}
}
