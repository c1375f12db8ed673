package control

import (
	"cmp"
	"net/http"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/status"
)

// API is the version of what is spoken here: the /v1/ of every path.
const API = 1

// Version says who answers.
type Version struct {
	Snapsync string    `json:"snapsync"`
	Rclone   string    `json:"rclone"`
	API      int       `json:"api"`
	PID      int       `json:"pid"`
	Since    time.Time `json:"since"`     // when the process started
	StateDir string    `json:"state_dir"` // where its mappings keep their state
}

// StatusReply is the answer to GET /v1/status.
type StatusReply struct {
	// Event is the last event that this status includes: reading events after it misses none.
	Event    string          `json:"event"`
	Mappings []status.Status `json:"mappings"`
}

// Command is the body of POST /v1/NAME.
type Command struct {
	Name      string `json:"-"`
	Mapping   string `json:"mapping,omitempty"`    // name or id; "": all of them
	Digest    string `json:"digest,omitempty"`     // Approve: exactly these deletes; "": the ones that are held now
	NewSource bool   `json:"new_source,omitempty"` // Approve: accept the source as it is
	NewRemote bool   `json:"new_remote,omitempty"` // Approve: accept the remote as it is
	By        string `json:"by,omitempty"`         // Approve: who it is that lets it through, for the record
	// Retry of one mapping: only what failed at these paths, which are relative to its source, and beneath
	// them; none: everything. Those that are not UTF-8 are in PathsBytes, in base64.
	Paths      []string `json:"paths,omitempty"`
	PathsBytes []string `json:"paths_base64,omitempty"`
}

// Outcome is the answer to a command that was accepted.
type Outcome struct {
	Text     string   `json:"text"`              // for a person
	Mappings []string `json:"mappings"`          // the ids of those that it concerned
	Count    int64    `json:"count"`             // deletes that were approved, failed paths that are retried
	Cycle    int64    `json:"cycle,omitempty"`   // Sync of one mapping: it is done when live.cycles is that far
	Changed  []string `json:"changed,omitempty"` // Reload: the keys of the process that have another value now
	Restart  []string `json:"restart,omitempty"` // Reload: those that need another process for that
}

// Error is the answer to a request that was not carried out, and an error of Go.
type Error struct {
	Code    int    `json:"-"` // of HTTP
	Message string `json:"error"`
	Remedy  string `json:"hint,omitempty"`
	Exit    int    `json:"exit,omitempty"` // the status that a command ends with
}

func (e *Error) Error() string { return e.Message }

// Hint is what a person can do about it.
func (e *Error) Hint() string { return e.Remedy }

// ExitStatus is the status that a command ends with which was not carried out.
func (e *Error) ExitStatus() int { return cmp.Or(e.Exit, 1) }

// NoMapping is the error of a name that no mapping of the process has.
func NoMapping(name string) *Error {
	return &Error{
		Code: http.StatusNotFound, Message: "this process has no mapping " + name, Exit: 1,
		Remedy: "GET /v1/status lists those that it has",
	}
}
