package engine

import (
	"log/slog"
	"time"

	"context"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Config is everything that an Engine needs to know. Zero values are usable unless said otherwise.
type Config struct {
	Scan    snapshot.Config  // Root is required
	Journal *journal.Journal // required; the engine is its only writer
	// Connect opens the remote. The engine calls it when it first needs the remote, which is never
	// if nothing changed, and closes what it returns. Required.
	Connect func(ctx context.Context) (Connection, error)

	CompleteSync bool      // mirror deletes; otherwise the remote retains what was deleted
	EmptyDirs    bool      // --create-empty-src-dirs
	MaxDelete    MaxDelete // zero value: DefaultMaxDelete
	Approve      bool      // --approve
	Transfers    int       // 0: auto
	Retries      int       // attempts per step within one run; 0: 3
	Metadata     bool      // --metadata: a changed mode is worth a send

	// Observe is told what happens, from several goroutines, and must be quick. May be nil.
	Observe func(Event)
	Log     *slog.Logger     // nil: discard
	Now     func() time.Time // nil: time.Now
}

// Summary is what a run did. The JSON names are the contract of `run --once --json`.
type Summary struct {
	Sent        int64   `json:"sent"`
	Copied      int64   `json:"copied"`
	Touched     int64   `json:"touched"`
	Moved       int64   `json:"moved"`
	Deleted     int64   `json:"deleted"`
	UploadBytes int64   `json:"upload_bytes"`
	SavedBytes  int64   `json:"saved_bytes"` // bytes that moves and copies did not have to send
	Failed      int64   `json:"failed"`
	Held        int64   `json:"held"`
	Seconds     float64 `json:"seconds"`

	Scan     snapshot.Stats      `json:"-"`
	Unproven []snapshot.Unproven `json:"-"`
	Failures []Failure           `json:"-"` // the first MaxFailures of them, by path
}

// Failure is one path that could not be made true in this run. It is tried again in the next.
type Failure struct {
	Path string
	Err  error
}

// MaxFailures bounds how many failures a Summary carries; Summary.Failed counts all.
const MaxFailures = 1000

// Preview is what a run would do.
type Preview struct {
	Plan journal.Plan
	Head *snapshot.Head
	Hold *Hold // nil: nothing is held
	Base journal.Totals
}

// Hold says why deletes are held.
type Hold struct {
	Deletes int64 // files that the plan would delete
	Limit   int64 // how many would have passed
	Why     string
	Digest  string // of exactly these deletes; what `approve` binds to
}

// Event tells an observer what the engine is doing. Exactly one group of fields is set, by Type.
type Event struct {
	Type  EventType
	Step  *journal.Step // StepStart, StepProgress, StepDone, StepRetry
	Bytes int64         // StepProgress: bytes read since the last event of this step
	Err   error         // StepRetry, StepDone; nil: success
	Wait  time.Duration // StepRetry: pause before the next attempt

	// Planned: totals of what will be executed.
	Steps, UploadBytes int64
	Text               string // Phase: "listing the remote", "scanning", "hashing", "transferring"
}

// EventType says what an Event is about.
type EventType uint8

const (
	Phase EventType = 1 + iota
	Planned
	StepStart
	StepProgress
	StepRetry
	StepDone
)
