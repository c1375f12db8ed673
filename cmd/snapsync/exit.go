package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"syscall"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Exit statuses. They are a contract: scripts test them.
const (
	statusOK          = 0
	statusError       = 1
	statusUsage       = 2
	statusNoSource    = 3
	statusTemporary   = 5
	statusFatal       = 7
	statusSteps       = 20 // plan --exit-code found steps, or verify found differences
	statusHeld        = 21
	statusNewSource   = 22
	statusOffline     = 23
	statusLocked      = 24
	statusPartial     = 25
	statusInterrupted = 130
)

// failure is an error that knows how the process ends and what a person can do about it.
// A nil err means that everything has been said already.
type failure struct {
	status int
	err    error
	hint   string
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit status %d", f.status)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// usage is an error in how the program was called.
func usage(hint, format string, args ...any) error {
	return &failure{status: statusUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// severity orders the exit statuses: of several mappings the last one in this list is what the process
// ends with. What a person must look at comes after what time may mend.
var severity = []int{
	statusOK, statusSteps, statusLocked, statusPartial, statusTemporary, statusOffline, statusHeld, statusNewSource,
	statusNoSource, statusUsage, statusError, statusFatal, statusInterrupted,
}

// worse returns the more severe of two exit statuses.
func worse(a, b int) int {
	if slices.Index(severity, a) > slices.Index(severity, b) {
		return a
	}
	return b
}

// quiet ends the process with status after all has been printed.
func quiet(status int) error {
	if status == statusOK {
		return nil
	}
	return &failure{status: status}
}

// classes maps the sentinels of the libraries to an exit status and a remedy. The first match wins.
var classes = []failure{
	{statusNewSource, engine.ErrNewSource, "if this directory is meant to replace the old one, run 'snapsync approve --new-source SRC --remote REMOTE'; if a disk is not mounted, mount it"},
	{statusNoSource, snapshot.ErrSourceGone, "if the source is on a disk or share of its own, check that it is mounted; nothing was deleted on the remote"},
	{statusOffline, engine.ErrNewRemote, "mount the disk, or make the bucket again, and run again; what is pending is kept. If what is there now is meant to replace it, run 'snapsync approve --new-remote SRC --remote REMOTE'"},
	{statusOffline, engine.ErrOffline, "what is pending is kept; run again when the remote answers"},
	{statusFatal, journal.ErrNewer, "this state was written by a newer snapsync: update the program"},
	{statusFatal, journal.ErrOtherMapping, "each source and remote has a state of its own; check --state-dir"},
	{statusFatal, journal.ErrDamaged, "the remote was not touched; move the file away and the next run compares with what the remote holds"},
	{statusTemporary, journal.ErrFull, "free some space on the disk of the state directory and run again"},
	{statusFatal, engine.ErrQuota, "free some space on the remote and run again; what is pending is kept"},
	{statusFatal, engine.ErrPermission, "check the credentials and the rights of the remote"},
	{statusFatal, engine.ErrFatal, "'rclone listremotes' shows the remotes that are configured; 'snapsync doctor' looks at them"},
	{statusTemporary, control.ErrSilent, "it was stopped ('kill -CONT' has it go on, and do what was asked), or it hangs: 'kill -9' and a new start lose nothing"},
	{statusTemporary, engine.ErrTemporary, "run again; what is pending is kept"},
	{statusTemporary, syscall.ENOSPC, "free some space there and run again"},
	{statusError, fs.ErrPermission, "check its rights and whose it is: a run as another user, with sudo say, may have made it"},
	{statusInterrupted, context.Canceled, "what was done is recorded; the next run continues"},
}

// classify turns any error into a failure. An error that already is one keeps its status.
func classify(err error) *failure {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return &failure{status: c.status, err: err, hint: c.hint}
		}
	}
	return &failure{status: statusError, err: err}
}

// report prints err for a person and returns the exit status.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return statusOK
	}
	f := classify(err)
	if f.err != nil {
		fmt.Fprintf(stderr, "snapsync: %v\n", f.err)
		if hint := hintOf(f, err); hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", hint)
		}
	}
	return f.status
}

// reportNamed is report for one mapping of several.
func reportNamed(stderr io.Writer, name string, err error) int {
	if err == nil {
		return statusOK
	}
	f := *classify(err)
	if f.err != nil {
		f.err, f.hint = fmt.Errorf("%s: %w", name, f.err), hintOf(&f, err)
	}
	return report(stderr, &f)
}

// hinter is an error of another package that knows the remedy itself.
type hinter interface{ Hint() string }

func hintOf(f *failure, err error) string {
	if h := hinter(nil); errors.As(err, &h) && h.Hint() != "" {
		return h.Hint()
	}
	return f.hint
}
