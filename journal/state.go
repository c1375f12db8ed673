package journal

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// State is what is remembered between runs: one document for each owner, who alone writes it. What the words and the texts
// in them mean is theirs.
type State struct {
	EngineState
	CommandState
	ProcessState
	Decisions
}

// EngineState is the engine's document. What holds from a plan or from the end of a run on is written in the same transaction:
// see Record. Adopt sets Adopted.
type EngineState struct {
	Adopted  bool   `json:"adopted,omitzero"`  // the base was built from a listing of the remote
	Identity string `json:"identity,omitzero"` // JSON: which directory the source is
	Mounts   Mounts `json:"mounts,omitempty"`
	Caps     string `json:"caps,omitzero"`   // JSON: what the remote can do, so that a plan needs no remote
	Places   string `json:"places,omitzero"` // JSON: the directories of this machine that the remote is kept in
	// EmptyDirs says that the base's directories are on the remote even where they hold no files.
	EmptyDirs bool `json:"empty_dirs,omitzero"`
	// Unflushed is the boot of the machine during which steps were executed that a power cut may have
	// undone since; "": none.
	Unflushed string `json:"unflushed,omitzero"`

	Holds
	Burst Burst `json:"burst,omitzero"`

	LastRun        time.Time `json:"last_run,omitzero"`         // when the last run began; zero: never
	LastSuccess    time.Time `json:"last_success,omitzero"`     // when the last one began that left nothing to do; zero: none
	LastError      string    `json:"last_error,omitzero"`       // of the last run; "": none
	LastErrorClass string    `json:"last_error_class,omitzero"` // its kind
	Ended          time.Time `json:"ended,omitzero"`            // when the last run ended
}

// Mounts are the file systems mounted inside the source: path to file-system id. JSON has the paths in hexadecimal digits,
// since they need not be UTF-8.
type Mounts map[string]uint64

// MarshalJSON implements json.Marshaler.
func (m Mounts) MarshalJSON() ([]byte, error) {
	named := make(map[string]uint64, len(m))
	for path, id := range m {
		named[fmt.Sprintf("%X", path)] = id
	}
	return json.Marshal(named)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Mounts) UnmarshalJSON(text []byte) error {
	var named map[string]uint64
	if err := json.Unmarshal(text, &named); err != nil {
		return err
	}
	*m = make(Mounts, len(named))
	for name, id := range named {
		path, err := hex.DecodeString(name)
		if err != nil {
			return fmt.Errorf("mount %s: %w", strconv.Quote(name), err)
		}
		(*m)[string(path)] = id
	}
	return nil
}

// Burst is what was deleted lately, as a guard counts it.
type Burst struct {
	Files int64     `json:"files,omitzero"`
	Last  time.Time `json:"last,omitzero"` // when the last of them went
}

// Holds are what waits for a person.
type Holds struct {
	HeldDigest string `json:"held_digest,omitzero"` // the deletes that a guard holds; "": none
	HeldWhy    string `json:"held_why,omitzero"`
	HeldBase   int64  `json:"held_base,omitzero"` // files that the remote held when they were first held; 0: nothing is held
	// MountsHeld counts the files that are not deleted because what was mounted inside the source is not
	// mounted any more, or is something else; MountsWhy says where. 0: nothing is held by that.
	MountsHeld int64  `json:"mounts_held,omitzero"`
	MountsWhy  string `json:"mounts_why,omitzero"`
}

// CommandState is the document of the command line.
type CommandState struct {
	Options string `json:"options,omitzero"` // JSON: the flags of the last run
}

// ProcessState is the document of a process that stays.
type ProcessState struct {
	Started    time.Time `json:"started,omitzero"`
	PID        int       `json:"pid,omitzero"`   // 0: it has ended
	Phase      string    `json:"phase,omitzero"` // what has been going on for long, until a run ends: see Doing
	PhaseSince time.Time `json:"phase_since,omitzero"`
}

// Decisions are the document of what a person decides, which the engine reads when a run begins. It takes approvals back
// that it has used.
type Decisions struct {
	Paused            bool   `json:"paused,omitzero"`
	ApprovedDigest    string `json:"approved_digest,omitzero"` // the deletes that may happen
	NewSourceApproved bool   `json:"new_source_approved,omitzero"`
	NewRemoteApproved bool   `json:"new_remote_approved,omitzero"`
	// LastApproval is of deletes, and stays when the approval is used up.
	LastApproval Approval `json:"last_approval,omitzero"`
}

// Approval is who let how many deletes through, and when.
type Approval struct {
	By      string    `json:"by,omitzero"` // a user's name, as the machine knows it
	At      time.Time `json:"at,omitzero"` // zero: never
	Deletes int64     `json:"deletes,omitzero"`
}

func (EngineState) owner() string  { return "engine" }
func (CommandState) owner() string { return "command" }
func (ProcessState) owner() string { return "process" }
func (Decisions) owner() string    { return "person" }

// Doing returns what the process that stays has been doing for long, "" if that is over, and since when.
func (s *State) Doing() (phase string, since time.Time) {
	if s.PhaseSince.After(s.Ended) {
		return s.Phase, s.PhaseSince
	}
	return "", s.Ended
}
