// Package event is what the engine tells an observer while it works: which step, how many bytes, what came of it.
//
// Events are given from several goroutines, in the order in which things happen to one step. Nothing depends on them: they feed
// progress, status, logs and metrics.
package event

import (
	"time"

	"github.com/snapsync/snapsync/journal"
)

// Event tells an observer what the engine is doing. Which fields are set depends on Type.
type Event struct {
	Type  Type
	Step  *journal.Step // StepStart, StepProgress, StepRetry, StepDone
	Bytes int64         // StepProgress: read since the last event of this step
	Err   error         // StepRetry, StepDone; nil: success
	Wait  time.Duration // StepRetry: pause before the next attempt

	Steps, UploadBytes int64  // Planned: what will be executed; held steps are not counted
	Text               string // Phase: "listing the remote", "scanning", "hashing", "recovering", "transferring"; StateChanged: a loop.State
}

// Type says what an Event is about.
type Type uint8

const (
	Phase Type = 1 + iota
	Planned
	StepStart
	StepProgress
	StepRetry
	StepDone
	StateChanged
)
