// Package journal is the durable record of one mapping: one SQLite database that holds what the remote
// is known to hold (the base), what is still to be done (steps), what was done (history), and the few
// things that must survive a crash (claims, temporary names, failures, state).
//
// # The life of a step
//
//	Begin   the plan replaces all pending steps; the base learns what needs no action;
//	        the first steps may be in flight from now on                                1 transaction
//	Claim   so may steps up to a number                                                 1 small write
//	        … the engine executes them on the remote …
//	Ack     a group is done: base folded, history and outbox written, steps gone        1 transaction
//	Fail    a path could not be made true: remembered, and still pending                1 transaction
//	Finish  the cycle is over, and nothing is in doubt; old history goes                1 small write
//
// What the engine remembers between runs, a Record, is written with Begin and Finish: it is never ahead of them nor behind.
//
// The base is folded from acknowledgements and from nothing else, so it never claims more than the
// remote confirmed. A crash at any point leaves the last committed transaction. What was executed and
// not yet acknowledged is pending still: the next cycle compares again and runs it again, and what
// an interrupted upload may have left under a temporary name is known from the claims.
//
// Two packages beneath share the work: database is the file, and base what the remote is known to hold.
//
// # Guarantees
//
// What a method wrote is durable when it returned nil, and nothing of it is there when it returned an error. Writing methods
// may be called from any goroutine but wait for each other: they are meant for one. Reading methods never wait for a writer and see what was committed last, except
// cursors and walks, which see the state at which they started for as long as they last. Memory is
// bounded: 8 MiB for the writer, 2 MiB for each cursor; Begin adds 16 bytes for each step that was
// pending before it.
//
// Whatever is read is validated: a flipped bit is ErrDamaged and never a delete. Paths are raw bytes
// and come back as they were given.
//
// # What it leaves to others
//
// The caller makes sure that one process writes at a time; cmd holds a file lock for that. What a
// plan means, whether it may be executed, and when to look again are the engine's decisions. A
// journal that is missing is not an error here: Open creates an empty one, whose State says that
// nothing was adopted.
package journal

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/journal/base"
	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Journal is one mapping's durable record. Its own methods change several tables in one transaction; those of what is embedded
// are about one table each.
type Journal struct {
	mapping Mapping
	db      *database.DB
	writer  *base.Writer

	*base.Base
	documents
	failures
	history
	pending
	temps
	uploads
}

// Totals and Refresh are the base's, and documented there.
type (
	Totals  = base.Totals
	Refresh = base.Refresh
)

// Classes of errors, tested with errors.Is. Every error of SQLite has exactly one.
var (
	ErrDamaged      = database.ErrDamaged
	ErrNewer        = database.ErrNewer
	ErrOlder        = database.ErrOlder
	ErrOtherMapping = database.ErrOtherMapping
	ErrFull         = database.ErrFull
	ErrBusy         = database.ErrBusy
	ErrUnusable     = database.ErrUnusable
)

// Damaged is ErrDamaged for what others keep in a document: it cannot be theirs.
func Damaged(format string, args ...any) error { return database.Damaged(format, args...) }

// Mapping is what a journal is about. Both strings are opaque here; they are compared byte by byte.
type Mapping struct {
	Source string // the local directory
	Remote string // the remote, in canonical form
}

func (m Mapping) String() string { return m.Source + " -> " + m.Remote }

// Open opens the journal at path for reading and writing, creating it if it is missing; its directory
// must exist. A new journal belongs to m for ever; ErrOtherMapping if path belongs to another.
func Open(path string, m Mapping) (*Journal, error) {
	db, err := database.Open(path, m.claim)
	return journalIn(db, m, err)
}

// OpenReadOnly opens the journal at path without changing anything on disk: see database.OpenReadOnly. An error that is
// fs.ErrNotExist means that there is no journal yet.
func OpenReadOnly(path string) (*Journal, error) {
	var m Mapping
	db, err := database.OpenReadOnly(path, func(c database.Conn) (err error) {
		m, _, err = readMapping(c)
		return err
	})
	return journalIn(db, m, err)
}

// OpenMemory returns an empty journal that leaves no trace: for a plan before the first run. It must
// not be written to while a cursor is open.
func OpenMemory(m Mapping) (*Journal, error) {
	db, err := database.OpenMemory(m.claim)
	return journalIn(db, m, err)
}

// journalIn returns the journal in a database that was opened with this error, which may be nil.
func journalIn(db *database.DB, m Mapping, err error) (*Journal, error) {
	if err != nil {
		return nil, err
	}
	return &Journal{
		mapping: m, db: db, writer: base.NewWriter(), Base: base.New(db), documents: documents{db}, failures: failures{db},
		history: history{db: db}, pending: pending{db}, temps: temps{db}, uploads: uploads{db},
	}, nil
}

// claim writes the mapping of a new journal and compares that of an old one.
func (m Mapping) claim(c database.Conn) error {
	was, found, err := readMapping(c)
	switch {
	case err != nil:
		return err
	case !found:
		return c.Exec("INSERT INTO mapping (id, source, remote) VALUES (1, ?, ?)", m.Source, m.Remote)
	case was != m:
		return fmt.Errorf("%w: it belongs to %v, not to %v", ErrOtherMapping, was, m)
	}
	return nil
}

func readMapping(c database.Conn) (m Mapping, found bool, err error) {
	err = c.Query("SELECT source, remote FROM mapping", func(row database.Row) error {
		m, found = Mapping{row.ColumnText(0), row.ColumnText(1)}, true
		return nil
	})
	return m, found, err
}

// Mapping returns what the journal is about.
func (j *Journal) Mapping() Mapping { return j.mapping }

// Close closes the journal. Cursors must have been closed before. Its write-ahead log may stay beside it, as after a crash:
// everything in it is durable, and the next Open goes on with it.
func (j *Journal) Close() error { return j.db.Close() }

// Intercept has fn called before and after each commit, for tests: see database.DB.Intercept.
func (j *Journal) Intercept(fn func(op string, durable bool) error) { j.db.Intercept(fn) }

// Adopt replaces the base by what fill adds, in any order: a listing of the remote. See base.Writer.Adopt.
//
// If fill fails, or ctx is done, the base stays as it was. On success State.Adopted is true. A crash in the middle leaves the old
// base.
func (j *Journal) Adopt(ctx context.Context, fill func(add func(path string, e snapshot.Entry) error) error) error {
	return j.db.Write("adopt", func(t *database.Tx) error {
		if err := j.writer.Adopt(ctx, t, fill); err != nil {
			return err
		}
		return updateDocument(t, func(s *EngineState) { s.Adopted = true })
	})
}

// Repair makes the base say what the remote was found to hold: nil for nothing. It is one transaction.
func (j *Journal) Repair(fixes []Refresh) error {
	if len(fixes) == 0 {
		return nil
	}
	return j.db.Write("repair base", func(t *database.Tx) error { return j.learn(t, len(fixes), fixes) })
}

// learn makes the base say what changes say, as the first of a change of about so many rows.
func (j *Journal) learn(t *database.Tx, rows int, changes []Refresh) error {
	return j.writer.Edit(t, rows, func(e *base.Edit) error { return e.Refresh(changes) })
}
