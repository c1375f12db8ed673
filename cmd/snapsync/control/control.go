// Package control is how other programs see and steer a running snapsync: HTTP/1.1 with JSON and
// server-sent events over a unix socket that only its owner can reach.
//
//	GET  /v1/version            who answers                        wire.go
//	GET  /v1/status[?mapping=]  how the mappings stand
//	GET  /v1/events[?mapping=]  what happens, as it happens        events.go, feed.go
//	POST /v1/COMMAND            sync pause resume approve retry reload stop
//	GET  /metrics               for Prometheus
//
// docs/control.md has every request and answer; fields are only ever added.
//
// What it guarantees: nobody but the owner of the process, and root, is answered (the directory of the
// socket, its mode and, where the system tells, the caller's user id each say so by themselves); a
// browser is refused; requests are bounded in size and time. A reader of events that does not keep up
// never slows anything down: it loses events, is told how many, and goes on.
//
// What it leaves to others: what the commands do is the Host's, and so is what the events say.
package control

import (
	"context"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// Host is the running process, as the server needs it. All methods may be called concurrently.
type Host interface {
	Version() Version
	// Status returns one mapping, by its name or id, or all of them for "". It does not wait for
	// anything that takes long.
	Status(ctx context.Context, mapping string) ([]status.Status, error)
	// Do carries out a command and returns when it is accepted, not when it is done. An error that is
	// an *Error is shown as it is.
	Do(ctx context.Context, c Command) (Outcome, error)
}

// The commands that a Host knows.
const (
	Sync    = "sync"    // look at everything now
	Pause   = "pause"   // do nothing until Resume
	Resume  = "resume"  // undo Pause
	Approve = "approve" // let through what is held
	Retry   = "retry"   // try the paths that failed now
	Reload  = "reload"  // read the configuration again
	Stop    = "stop"    // end the process
)

// Commands lists them.
var Commands = []string{Sync, Pause, Resume, Approve, Retry, Reload, Stop}
