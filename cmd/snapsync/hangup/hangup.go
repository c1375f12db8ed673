//go:build unix

// Package hangup keeps a SIGHUP that comes while a process starts that will stay: the runtime would end the process, and
// to initialise all backends takes a tenth of a second, in which a service manager may already say "reload". Package hangup depends
// on little, so that it is initialised before them.
package hangup

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// early has the SIGHUP that came before To.
var early = make(chan os.Signal, 1)

func init() {
	if len(os.Args) > 1 && slices.Contains(os.Args[1:], "run") && !slices.Contains(os.Args, "--once") {
		catch(early)
	}
}

// To sends every SIGHUP to c from now on, and the one that came before. One that nohup has the process ignore stays ignored.
func To(c chan<- os.Signal) {
	catch(c)
	signal.Stop(early)
	select {
	case s := <-early:
		c <- s
	default:
	}
}

func catch(c chan<- os.Signal) {
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c, syscall.SIGHUP)
	}
}
