package execute

import (
	"context"
	"errors"
	"io/fs"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

var errVanished = remote.Classed("changing", "vanished, or turned into something else, before it could be read")

// EndsRun reports whether err makes every further step pointless. What was under way stays pending.
func EndsRun(err error) bool {
	return errors.Is(err, remote.ErrOffline) || errors.Is(err, remote.ErrFatal) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// afterwards is the error of an attempt that the remote had told to have worked.
type afterwards struct{ error }

func (a *afterwards) Unwrap() error { return a.error }

// certain reports whether an attempt at s that ended with err did nothing to the remote. A directory may have been moved in
// part, file by file, before the remote refused a file.
func certain(s *journal.Step, err error) bool {
	switch {
	case errors.As(err, new(*afterwards)):
		return false
	case s.Action == journal.Move && s.Dir:
		return errors.Is(err, remote.ErrCannotMove)
	}
	for _, c := range [...]error{
		remote.ErrCannotMove, remote.ErrPermission, remote.ErrInvalidName, remote.ErrQuota, remote.ErrNotEmpty, errVanished, snapshot.ErrChanged, fs.ErrPermission,
	} {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

// hopeful reports whether trying the same again soon has a chance.
func hopeful(err error) bool {
	switch {
	case err == nil, errors.Is(err, errVanished), errors.Is(err, fs.ErrPermission):
		return false
	case errors.Is(err, snapshot.ErrChanged): // it may go on changing: another look says what it is by then
		return false
	case errors.Is(err, remote.ErrOffline), errors.Is(err, remote.ErrTemporary),
		errors.Is(err, context.Canceled): // by the remote's library: that of the run itself ends the attempts
		return true
	}
	return remote.Class(err) == "error"
}

// classify takes in what the failure of a step says: about the remote, and whether another plan may find another way.
func (x *execution) classify(r *result) {
	cannotMove := errors.Is(r.err, remote.ErrCannotMove)
	if cannotMove {
		x.result.Rescan = append(x.result.Rescan, r.step.Path) // so that a plan for a part plans it anew as well
	}
	switch {
	case r.step.Action == journal.Delete && !r.step.Dir: // there is no other way
	case cannotMove:
		x.refuse(&r.step)
		x.result.Again = true
	case errors.Is(r.err, errVanished):
		x.result.Again = true
	case errors.Is(r.err, snapshot.ErrChanged):
		x.result.Again = x.result.Again || !x.Watched // what grows for hours is tried once each time that it is looked at
	case errors.Is(r.err, remote.ErrNotFound):
		x.result.Again = true // the base was wrong about the remote: recovery will look
	}
}

// refuse remembers that this remote cannot do such a move, copy or touch.
func (x *execution) refuse(s *journal.Step) {
	refused := &x.result.Refused
	switch {
	case s.How == journal.Touch:
		refused.SetMetadata = true
	case s.Action == journal.Send:
		refused.Copy = true
	case s.Dir:
		refused.DirMove = true
	default:
		refused.Move = true
	}
}
