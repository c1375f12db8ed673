//go:build unix

package console

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// surviveBrokenPipes makes a write to a reader that is gone an error and no signal. The signal is caught, not ignored, since the
// programs that this one starts would inherit that.
func surviveBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// isBrokenPipe reports whether nobody will read what is written.
func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EIO)
}
