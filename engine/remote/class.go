package remote

import (
	"context"
	"errors"
	"io/fs"

	"github.com/snapsync/snapsync/snapshot"
)

// Class is the word for the kind of error that err is: "offline", "quota", "permission", …; "error" for one of no kind, "" for
// nil. The journal has no others, whether for a path that failed, for a run or for a cycle; nor have status and metrics.
func Class(err error) string {
	if err == nil {
		return ""
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	if c := (*classed)(nil); errors.As(err, &c) {
		return c.class
	}
	return "error"
}

// Classed returns a sentinel of the given class, for errors that are not a Connection's.
func Classed(class, message string) error { return &classed{class, message} }

type classed struct{ class, message string }

func (c *classed) Error() string { return c.message }

var classes = []struct {
	err  error
	name string
}{
	{ErrOffline, "offline"}, {context.Canceled, "interrupted"}, {ErrFatal, "fatal"}, {ErrQuota, "quota"}, {ErrPermission, "permission"},
	{ErrInvalidName, "name"}, {ErrNotFound, "not found"}, {ErrCannotMove, "cannot move"},
	{ErrNotEmpty, "not empty"}, {ErrTemporary, "temporary"}, {snapshot.ErrChanged, "changing"},
	{fs.ErrPermission, "source"}, {snapshot.ErrSourceGone, "source"},
}
