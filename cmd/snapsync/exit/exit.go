// Package exit turns errors into what a person and a script get of them: a message, a hint and the exit status.
//
// A Failure is an error that knows all three. Of makes one of any error, by the sentinels of the libraries; nothing
// else in the program decides about an exit status.
package exit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"syscall"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Exit statuses. They are a contract: scripts test them.
const (
	StatusOK          = 0
	StatusError       = 1
	StatusUsage       = 2
	StatusNoSource    = 3
	StatusTemporary   = 5
	StatusFatal       = 7
	StatusSteps       = 20 // plan --exit-code found steps, or verify found differences
	StatusHeld        = 21
	StatusNewSource   = 22
	StatusOffline     = 23
	StatusLocked      = 24
	StatusPartial     = 25
	StatusInterrupted = 130
)

// Failure is an error that knows how the process ends and what a person can do about it.
// A nil Err means that everything has been said already.
type Failure struct {
	Status int
	Err    error
	Hint   string
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("exit status %d", f.Status)
	}
	return f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

// Usage is an error in how the program was called.
func Usage(hint, format string, args ...any) error {
	return &Failure{Status: StatusUsage, Err: fmt.Errorf(format, args...), Hint: hint}
}

// severity orders the exit statuses: of several mappings the last one in this list is what the process
// ends with. What a person must look at comes after what time may mend.
var severity = []int{
	StatusOK, StatusSteps, StatusLocked, StatusPartial, StatusTemporary, StatusOffline, StatusHeld, StatusNewSource,
	StatusNoSource, StatusUsage, StatusError, StatusFatal, StatusInterrupted,
}

// Worse returns the more severe of two exit statuses.
func Worse(a, b int) int {
	if slices.Index(severity, a) > slices.Index(severity, b) {
		return a
	}
	return b
}

// Quiet ends the process with status after all has been printed.
func Quiet(status int) error {
	if status == StatusOK {
		return nil
	}
	return &Failure{Status: status}
}

const openFiles = "this process, or the system, may open no more files: raise the limit ('ulimit -n', LimitNOFILE= of a service), or give fewer --transfers"

// classes maps the sentinels of the libraries to an exit status and a remedy. The first match wins.
var classes = []Failure{
	{StatusNewSource, engine.ErrNewSource, "if this directory is meant to replace the old one, run 'snapsync approve --new-source SRC --remote REMOTE'; if a disk is not mounted, mount it"},
	{StatusTemporary, syscall.EMFILE, openFiles},
	{StatusTemporary, syscall.ENFILE, openFiles},
	{StatusNoSource, snapshot.ErrSourceGone, "if the source is on a disk or share of its own, check that it is mounted; nothing was deleted on the remote"},
	{StatusOffline, remote.ErrNewRemote, "mount the disk, or make the bucket again, and run again; what is pending is kept. If what is there now is meant to replace it, run 'snapsync approve --new-remote SRC --remote REMOTE'"},
	{StatusOffline, remote.ErrOffline, "what is pending is kept; run again when the remote answers"},
	{StatusFatal, journal.ErrNewer, "this state was written by a newer snapsync: update the program"},
	{StatusFatal, journal.ErrOtherMapping, "each source and remote has a state of its own; check --state-dir"},
	{StatusFatal, journal.ErrDamaged, "the remote was not touched; move the file away and the next run compares with what the remote holds"},
	{StatusTemporary, journal.ErrFull, "free some space on the disk of the state directory and run again"},
	{StatusFatal, remote.ErrQuota, "free some space on the remote and run again; what is pending is kept"},
	{StatusFatal, remote.ErrPermission, "check the credentials and the rights of the remote"},
	{StatusFatal, remote.ErrFatal, ""}, // each such error knows its own remedy
	{StatusTemporary, remote.ErrTemporary, "run again; what is pending is kept"},
	{StatusTemporary, syscall.ENOSPC, "free some space there and run again"},
	{StatusError, fs.ErrPermission, "check its rights and whose it is: a run as another user, with sudo say, may have made it"},
	{StatusInterrupted, context.Canceled, "what was done is recorded; the next run continues"},
}

// Of turns any error into a Failure. An error that already is one keeps its status. An error that
// knows its remedy or its status itself, by a method Hint or ExitStatus, is asked.
func Of(err error) *Failure {
	f := classified(err)
	if h := hinter(nil); errors.As(err, &h) && h.Hint() != "" {
		f.Hint = h.Hint()
	}
	return &f
}

func classified(err error) Failure {
	if f := (*Failure)(nil); errors.As(err, &f) {
		return *f
	}
	for _, c := range classes {
		if errors.Is(err, c.Err) {
			return Failure{Status: c.Status, Err: err, Hint: c.Hint}
		}
	}
	if s := stater(nil); errors.As(err, &s) {
		return Failure{Status: s.ExitStatus(), Err: err}
	}
	return Failure{Status: StatusError, Err: err}
}

// hinter and stater are errors of other packages that know the remedy and the exit status themselves.
type (
	hinter interface{ Hint() string }
	stater interface{ ExitStatus() int }
)

// Report prints err for a person and returns the exit status.
func Report(stderr io.Writer, err error) int {
	if err == nil {
		return StatusOK
	}
	f := Of(err)
	if f.Err != nil {
		fmt.Fprintf(stderr, "snapsync: %v\n", f.Err)
		if f.Hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", f.Hint)
		}
	}
	return f.Status
}

// ReportNamed is Report for one mapping of several.
func ReportNamed(stderr io.Writer, name string, err error) int {
	if err == nil {
		return StatusOK
	}
	f := Of(err)
	if f.Err != nil {
		f.Err = fmt.Errorf("%s: %w", name, f.Err)
	}
	return Report(stderr, f)
}

// ErrInterrupted is what a person sees who pressed Ctrl-C.
var ErrInterrupted = errors.New("interrupted")
