package database

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
)

// Classes of errors, tested with errors.Is. Every error of SQLite has exactly one.
var (
	ErrDamaged      = errors.New("damaged")
	ErrNewer        = errors.New("written by a newer version")
	ErrOlder        = errors.New("written by an older version") // only by OpenReadOnly, which may not migrate
	ErrOtherMapping = errors.New("of another mapping")
	ErrFull         = errors.New("disk is full")
	ErrBusy         = errors.New("in use by another process")
	ErrUnusable     = errors.New("cannot be read or written") // permissions, a failing disk, a missing directory
)

// Misuse by the caller: bugs, not states of the file.
var (
	ErrClosed   = errors.New("journal is closed")
	ErrReadOnly = errors.New("journal was opened for reading only")
	ErrStale    = errors.New("the base changed while another cursor is open, so they would show different states")
)

// Error is an error of SQLite, with the file it is about. It wraps its class and its cause.
type Error struct {
	Op    string // what was attempted: "acknowledge steps"
	File  string
	Class error // one of the classes above
	Err   error // what SQLite said
}

func (e *Error) Error() string {
	if errors.Is(e.Err, e.Class) || strings.Contains(e.Err.Error(), e.Class.Error()) { // which says it already
		return fmt.Sprintf("%s: journal %s: %v", e.Op, e.File, e.Err)
	}
	return fmt.Sprintf("%s: journal %s: %v: %v", e.Op, e.File, e.Class, e.Err)
}

// Unwrap returns the class and the cause.
func (e *Error) Unwrap() []error { return []error{e.Class, e.Err} }

// Hint says what a person can do about it.
func (e *Error) Hint() string {
	switch e.Class {
	case ErrDamaged:
		return "the remote was not touched; move the file away and run again: what the remote holds is listed and not sent again"
	case ErrNewer:
		return "update snapsync, or use another --state-dir"
	case ErrOlder:
		return "run snapsync once on this mapping: that brings its journal up to date"
	case ErrOtherMapping:
		return "use another --state-dir for this mapping"
	case ErrFull:
		return "free some space where the journal is and run again: nothing is lost"
	case ErrBusy:
		return "wait for the other snapsync to end, or stop it"
	}
	return "check the disk and the permissions of the directory that the journal is in"
}

// Class returns the class of err, and nil if it comes from neither SQLite nor a decoder.
func Class(err error) error {
	for _, class := range []error{ErrDamaged, ErrNewer, ErrOlder, ErrOtherMapping} {
		if errors.Is(err, class) {
			return class
		}
	}
	code := sqlite.ErrCode(err)
	switch code {
	case sqlite.ResultIOErrWrite, sqlite.ResultIOErrTruncate, sqlite.ResultIOErrSHMSize:
		return ErrFull // a quota shows itself like this; an ordinary full disk is ResultFull
	case sqlite.ResultIOErrShortRead:
		return ErrDamaged // the file ends where a page should be
	}
	switch code.ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultFormat, sqlite.ResultMismatch:
		return ErrDamaged
	case sqlite.ResultFull:
		return ErrFull
	case sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultProtocol:
		return ErrBusy
	case sqlite.ResultIOErr, sqlite.ResultCantOpen, sqlite.ResultPerm, sqlite.ResultReadOnly,
		sqlite.ResultNoMem, sqlite.ResultNoLFS, sqlite.ResultAuth, sqlite.ResultTooBig:
		return ErrUnusable
	case sqlite.ResultError, sqlite.ResultSchema, sqlite.ResultConstraint:
		if isSQLite(err) {
			return ErrDamaged // our statements fit our schema: a table or a row is not what we wrote
		}
	}
	return nil
}

// isSQLite tells an error of SQLite with the generic code from one of anybody else, which has that
// code as well. The library does not export its type; nobody else's errors have this method.
func isSQLite(err error) bool {
	var e interface{ As(any) bool }
	return sqlite.ErrCode(err) != sqlite.ResultError || errors.As(err, &e)
}

// Fail names the operation and the file of an error. An error that is not SQLite's keeps its meaning. nil stays nil.
func (db *DB) Fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if own := (*Error)(nil); errors.As(err, &own) {
		return err
	}
	if f := (*foreign)(nil); errors.As(err, &f) {
		return fmt.Errorf("%s: %w", op, f.error)
	}
	if class := Class(err); class != nil {
		return &Error{Op: op, File: cmp.Or(db.path, "in memory"), Class: class, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// foreign is an error of a function that the caller gave us.
type foreign struct{ error }

// Foreign marks an error, not nil, as that of a function that the caller gave us. Fail hands it back as it is: a remote that cannot
// be reached must not pass for a damaged journal.
func Foreign(err error) error { return &foreign{err} }

// Damaged reports a row that cannot be ours.
func Damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}
