// Package status is how a mapping stands: the type that everybody reads, and the ways to fill it.
//
//	status.go    the type; its JSON is a contract
//	word.go      the one word for it, and why: by the loop where a process stays, else by what is on disk
//	disk.go      Of, what the journal knows
//	overlay.go   Overlay, what only the process knows that keeps the mapping true
//	activity.go  Activity: what is under way and was done lately, told by the engine's events
//	text.go      a block for people
//
// Server, live view, metrics and text read this type: a new figure is a field, a line of text, a metric.
package status

import "time"

// Status is how a mapping stands. It is also one line of `snapsync status --json`, whose contract the
// fields up to OldestUnsynced are. A time that is not known is null.
type Status struct {
	Mapping        string     `json:"mapping"` // its name in the config file, else ID
	Source         string     `json:"source"`
	Remote         string     `json:"remote"` // without secrets
	State          string     `json:"state"`  // idle, scanning, syncing, offline, held, paused or stopped
	Files          int64      `json:"files"`
	Bytes          int64      `json:"bytes"`
	Pending        int64      `json:"pending"` // steps
	Held           int64      `json:"held"`    // steps that a person must approve
	Failed         int64      `json:"failed"`  // paths
	LastSuccess    *time.Time `json:"last_success"`
	OldestUnsynced *time.Time `json:"oldest_unsynced"`

	ID            string     `json:"id"` // of its state; unique
	Since         *time.Time `json:"since"`
	Why           string     `json:"why,omitempty"` // it is so, and what would change it
	LagSeconds    float64    `json:"lag_seconds"`   // age of the oldest change that is not on the remote
	LastRun       *time.Time `json:"last_run"`
	LastError     string     `json:"last_error,omitempty"`
	ErrorClass    string     `json:"error_class,omitempty"`
	HeldWhy       string     `json:"held_why,omitempty"`
	HeldByMounts  int64      `json:"held_by_mounts,omitempty"` // files of Held whose file system is not mounted
	HeldDigest    string     `json:"held_digest,omitempty"`    // what Approve binds to
	Approve       string     `json:"approve,omitempty"`        // the command lines that let through what is held
	LastApproval  *Approval  `json:"last_approval,omitempty"`
	Paused        bool       `json:"paused"`
	Retained      int64      `json:"retained"` // files that are not in the source, and are kept there
	RetainedBytes int64      `json:"retained_bytes"`
	Failures      []Failure  `json:"failures,omitempty"` // the first of them, by path
	Uploads       []Upload   `json:"uploads,omitempty"`  // that are not complete and can be continued, the first of them, by path
	PID           int        `json:"pid,omitempty"`      // of the process that has the mapping
	Live          *Live      `json:"live,omitempty"`     // what only a process that stays knows
}

// Trouble is the last error where that says something new; "": none.
func (st *Status) Trouble() string {
	if st.ErrorClass == "interrupted" { // by a person, who knows
		return ""
	}
	return st.LastError
}

// Approval is who let how many held deletes through last, and when.
type Approval struct {
	By      string    `json:"by"` // "" if that was not said
	At      time.Time `json:"at"`
	Deletes int64     `json:"deletes"` // steps
}

// Failure is a path that could not be made true.
type Failure struct {
	Path      string    `json:"path"`
	PathBytes *string   `json:"path_base64,omitempty"` // if Path is not valid UTF-8
	Class     string    `json:"class"`
	Message   string    `json:"message"`
	Tries     int64     `json:"tries"`
	Last      time.Time `json:"last"`
}

// Upload is one that the remote has a part of, which the next attempt does not send again.
type Upload struct {
	Path      string    `json:"path"`
	PathBytes *string   `json:"path_base64,omitempty"` // if Path is not valid UTF-8
	Size      int64     `json:"size"`                  // of the file, in bytes
	Confirmed int64     `json:"confirmed"`             // bytes that the remote has
	Began     time.Time `json:"began"`
	Last      time.Time `json:"last"` // when the remote confirmed the last part
}

// Live is what a process knows of a mapping that it keeps true.
type Live struct {
	Started   time.Time  `json:"started"`
	Next      *time.Time `json:"next"`   // attempt or full scan
	Hints     int        `json:"hints"`  // paths that wait to be looked at
	Missed    int64      `json:"missed"` // changes that only a full scan found
	Cycles    int64      `json:"cycles"`
	Watch     Watch      `json:"watch"`
	Transfers []Transfer `json:"transfers"` // in flight, the oldest first
	Rate      int64      `json:"rate"`      // bytes per second, over the last seconds
	Left      int64      `json:"left"`      // bytes that are still to be sent, of the present plan
	AtOnce    int        `json:"at_once"`   // steps that the remote is given at once at present; 0: none was yet
}

// Watch is how far file-system events can be relied on.
type Watch struct {
	Watched   int        `json:"watched"` // directories
	Polled    int        `json:"polled"`  // directories that can only be looked at now and then
	Overflows int64      `json:"overflows"`
	Proved    *time.Time `json:"proved"` // when an event was last seen to arrive
	Problems  []string   `json:"problems,omitempty"`
}

// Transfer is an upload in flight.
type Transfer struct {
	Path      string    `json:"path"`
	PathBytes *string   `json:"path_base64,omitempty"`
	Size      int64     `json:"size"`
	Done      int64     `json:"done"`
	Since     time.Time `json:"since"`
}

// lag is the age of the oldest change that is not on the remote, in seconds.
func lag(oldest *time.Time, now time.Time) float64 {
	if oldest == nil {
		return 0
	}
	return max(now.Sub(*oldest).Seconds(), 0)
}
