//go:build !unix

package console

import (
	"errors"
	"syscall"
)

// surviveBrokenPipes has nothing to do: there is no signal.
func surviveBrokenPipes() {}

// isBrokenPipe reports whether nobody will read what is written: ERROR_BROKEN_PIPE and ERROR_NO_DATA of Windows.
func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.Errno(109)) || errors.Is(err, syscall.Errno(232))
}
