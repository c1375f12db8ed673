//go:build unix

package daemon

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/hangup"
)

// steeringSignals sends SIGHUP and SIGUSR1 to c, which has room, until the returned function is called.
func steeringSignals(c chan<- os.Signal) (stop func()) {
	signal.Notify(c, syscall.SIGUSR1)
	hangup.To(c)
	return func() { signal.Stop(c) }
}

// atTerminal is whether this process began on a terminal.
var atTerminal = term.IsTerminal(int(os.Stdin.Fd()))

// meaning is the command that a signal stands for. SIGHUP has two senders: a person or a service
// manager, who wants the configuration read again, and a terminal that was closed, after which nobody
// is there any more to see or stop the process.
func meaning(s os.Signal) string {
	switch {
	case s == syscall.SIGUSR1:
		return control.Sync
	case s == syscall.SIGHUP && atTerminal && !term.IsTerminal(int(os.Stdin.Fd())):
		return control.Stop
	case s == syscall.SIGHUP:
		return control.Reload
	}
	return ""
}
