package journal

import (
	"maps"
	"time"

	"zombiezen.com/go/sqlite"
)

// State is what the engine and the command line remember between runs. What the words and the texts
// mean is theirs; only Adopted, LastRun and LastSuccess are also set here, by Adopt and Finish.
type State struct {
	Phase      string // what is going on, or how the last run ended
	PhaseSince time.Time
	Started    time.Time // of the process that runs or ran last
	PID        int       // its number

	LastRun, LastSuccess      time.Time // zero: never
	LastError, LastErrorClass string    // of the last run; "": none

	Paused  bool
	Adopted bool // the base was built from a listing of the remote

	Identity string            // JSON: which directory the source is
	Mounts   map[string]uint64 // file systems mounted inside the source: path to file-system id
	Caps     string            // JSON: what the remote can do, so that a plan needs no remote
	Options  string            // JSON: the flags of the last run
	// EmptyDirs says that the base's directories are on the remote even where they hold no files.
	EmptyDirs bool

	// Unflushed is the boot of the machine during which steps were executed that a power cut may have
	// undone since; "": none.
	Unflushed string

	HeldDigest, HeldWhy string // the deletes that a guard holds; "": none
	HeldBase            int64  // files that the remote held when they were first held; 0: nothing is held
	// MountsHeld counts the files that are not deleted because what was mounted inside the source is not
	// mounted any more, or is something else; MountsWhy says where. 0: nothing is held by that.
	MountsHeld        int64
	MountsWhy         string
	ApprovedDigest    string // the deletes that a person let through
	NewSourceApproved bool

	Places            string // JSON: the directories of this machine that the remote is kept in
	NewRemoteApproved bool
}

// State returns what is remembered; a zero State in a new journal.
func (j *Journal) State() (s State, err error) {
	err = j.read("read state", func(c *sqlite.Conn) error {
		s, err = readState(c)
		return err
	})
	return s, err
}

// Update changes what is remembered: change gets the present State. If nothing differs afterwards,
// nothing is written.
func (j *Journal) Update(change func(*State)) error {
	return j.write("update state", func(t *transaction) error {
		was, err := readState(t.Conn)
		if err != nil {
			return err
		}
		now := was
		now.Mounts = maps.Clone(was.Mounts)
		change(&now)
		if row := now.row(); row != was.row() {
			if err := query(t.Conn, `UPDATE state SET phase = ?, phase_since = ?, started = ?, pid = ?,
				last_run = ?, last_success = ?, last_error = ?, last_error_class = ?, paused = ?, adopted = ?,
				identity = ?, caps = ?, options = ?, held_digest = ?, held_why = ?, approved_digest = ?,
				new_source_approved = ?, empty_dirs = ?, unflushed = ?, held_base = ?,
				mounts_held = ?, mounts_why = ?, places = ?, new_remote_approved = ?`, nil, row[:]...); err != nil {
				return err
			}
		}
		if maps.Equal(was.Mounts, now.Mounts) {
			return nil
		}
		return t.writeMounts(now.Mounts)
	})
}

// row is the columns of state, in the order of readState and Update.
func (s *State) row() [24]any {
	return [24]any{
		s.Phase, nanos(s.PhaseSince), nanos(s.Started), int64(s.PID),
		nanos(s.LastRun), nanos(s.LastSuccess), s.LastError, s.LastErrorClass, s.Paused, s.Adopted,
		s.Identity, s.Caps, s.Options, s.HeldDigest, s.HeldWhy, s.ApprovedDigest, s.NewSourceApproved, s.EmptyDirs, s.Unflushed, s.HeldBase,
		s.MountsHeld, s.MountsWhy, s.Places, s.NewRemoteApproved,
	}
}

func readState(c *sqlite.Conn) (s State, err error) {
	err = query(c, `SELECT phase, phase_since, started, pid, last_run, last_success, last_error, last_error_class,
		paused, adopted, identity, caps, options, held_digest, held_why, approved_digest, new_source_approved, empty_dirs, unflushed, held_base,
		mounts_held, mounts_why, places, new_remote_approved
		FROM state`, func(q *sqlite.Stmt) error {
		s = State{
			Phase: q.ColumnText(0), PhaseSince: fromNanos(q.ColumnInt64(1)), Started: fromNanos(q.ColumnInt64(2)),
			PID: q.ColumnInt(3), LastRun: fromNanos(q.ColumnInt64(4)), LastSuccess: fromNanos(q.ColumnInt64(5)),
			LastError: q.ColumnText(6), LastErrorClass: q.ColumnText(7), Paused: q.ColumnBool(8), Adopted: q.ColumnBool(9),
			Identity: q.ColumnText(10), Caps: q.ColumnText(11), Options: q.ColumnText(12), HeldDigest: q.ColumnText(13),
			HeldWhy: q.ColumnText(14), ApprovedDigest: q.ColumnText(15), NewSourceApproved: q.ColumnBool(16),
			EmptyDirs: q.ColumnBool(17), Unflushed: q.ColumnText(18), HeldBase: q.ColumnInt64(19),
			MountsHeld: q.ColumnInt64(20), MountsWhy: q.ColumnText(21),
			Places: q.ColumnText(22), NewRemoteApproved: q.ColumnBool(23),
		}
		return nil
	})
	if err != nil {
		return State{}, err
	}
	err = query(c, "SELECT path, fs_id FROM mount", func(q *sqlite.Stmt) error {
		if s.Mounts == nil {
			s.Mounts = make(map[string]uint64)
		}
		s.Mounts[q.ColumnText(0)] = uint64(q.ColumnInt64(1))
		return nil
	})
	return s, err
}

func (t *transaction) writeMounts(mounts map[string]uint64) error {
	if err := query(t.Conn, "DELETE FROM mount", nil); err != nil {
		return err
	}
	for path, id := range mounts {
		if err := query(t.Conn, "INSERT INTO mount (path, fs_id) VALUES (?, ?)", nil, path, int64(id)); err != nil {
			return err
		}
	}
	return nil
}
