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
// On disk that is the database, its write-ahead log and the log's index, which belong together: path, path-wal and path-shm. The log
// is folded into the database only when it has grown.
//
// # Guarantees
//
// A method that returned nil is durable (WAL with synchronous=FULL); one that returned an error
// changed nothing. Writing methods may be called from any goroutine but wait for each other: they are
// meant for one. Reading methods never wait for a writer and see what was committed last, except
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
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
)

// Mapping is what a journal is about. Both strings are opaque here; they are compared byte by byte.
type Mapping struct {
	Source string // the local directory
	Remote string // the remote, in canonical form
}

func (m Mapping) String() string { return m.Source + " -> " + m.Remote }

// Journal is one mapping's durable record.
type Journal struct {
	path    string // "" if it is in memory only
	mapping Mapping
	readers pool

	// cursors keeps those that are open at once on one state of the base: see Reader. Its lock is held
	// while a cursor starts and while a commit is made, so that neither happens in the middle of the
	// other; it comes after mu.
	cursors struct {
		sync.Mutex
		open    int   // how many
		shown   int64 // the version that they show
		version int64 // grows with every commit that changes the base
	}

	// mu is held for the whole of a writing transaction and guards what follows.
	mu        sync.Mutex
	conn      *sqlite.Conn // nil: read-only or closed
	readOnly  bool
	dirs      map[string]struct{} // directories that are known to have a row in the base
	cycle     int64               // the cycle that acknowledgements belong to; 0: none yet
	retention Retention
	intercept func(op string, durable bool) error // see Intercept

	contents contents // of a journal that may not create its index
}

// Open opens the journal at path for reading and writing, creating it if it is missing; its directory
// must exist. A new journal belongs to m for ever; ErrOtherMapping if path belongs to another.
func Open(path string, m Mapping) (*Journal, error) {
	j := &Journal{path: path, mapping: m}
	if err := j.open(path); err != nil {
		return nil, j.fail("open", err)
	}
	return j, nil
}

func (j *Journal) open(path string) error {
	if err := create(path, j.mapping); err != nil {
		return err
	}
	c, err := connect(path, sqlite.OpenReadWrite, nil)
	if err != nil {
		return err
	}
	// The file is looked at before any pragma changes it: it may not be ours.
	if _, err = checkSchema(c); err == nil {
		err = configure(c, writerPragmas)
	}
	if err == nil {
		err = j.start(c)
	}
	if err != nil {
		c.Close()
		return err
	}
	j.readers.open = func() (*sqlite.Conn, error) {
		return connect(path, sqlite.OpenReadOnly, readerPragmas)
	}
	return nil
}

// start makes c the writer of j: schema, mapping, and what an earlier process left unfinished.
func (j *Journal) start(c *sqlite.Conn) error {
	if err := migrate(c); err != nil {
		return err
	}
	if err := claimMapping(c, j.mapping); err != nil {
		return err
	}
	cycle, err := openCycle(c)
	if err != nil {
		return err
	}
	j.conn, j.cycle, j.dirs = c, cycle, make(map[string]struct{})
	return nil
}

// claimMapping writes the mapping of a new journal and compares that of an old one.
func claimMapping(c *sqlite.Conn, m Mapping) error {
	was, found, err := readMapping(c)
	switch {
	case err != nil:
		return err
	case !found:
		return query(c, "INSERT INTO mapping (id, source, remote) VALUES (1, ?, ?)", nil, m.Source, m.Remote)
	case was != m:
		return fmt.Errorf("%w: it belongs to %v, not to %v", ErrOtherMapping, was, m)
	}
	return nil
}

func readMapping(c *sqlite.Conn) (m Mapping, found bool, err error) {
	err = query(c, "SELECT source, remote FROM mapping", func(s *sqlite.Stmt) error {
		m, found = Mapping{s.ColumnText(0), s.ColumnText(1)}, true
		return nil
	})
	return m, found, err
}

// OpenReadOnly opens the journal at path without changing anything on disk: the file may be in use by
// another process, or be left as a crash left it. An error that is fs.ErrNotExist means that there is
// no journal yet.
//
// Without a write-ahead log, which Close leaves mostly, the file is taken as immutable, so that not even SQLite's lock files are
// created: the caller holds the mapping's lock, or accepts ErrDamaged if a writer starts meanwhile.
// With one, the log is read, and what was in it when reading started is seen.
func OpenReadOnly(path string) (*Journal, error) {
	for n := 1; ; n++ {
		way := readOnlyURI(path)
		j := &Journal{path: path, readOnly: true}
		err := j.openReadOnly(path)
		if err == nil {
			return j, nil
		}
		_ = j.readers.close() // what it says is less than why it was opened in vain
		// A writer that came or went between the two looks left SQLite with a log, or an index, that is not
		// there any more, or that was not there yet.
		if n == openTries || readOnlyURI(path) == way {
			return nil, j.fail("open", err)
		}
	}
}

// openTries bounds how many writers may come and go while a journal is opened to be read.
const openTries = 5

func (j *Journal) openReadOnly(path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	j.readers.open = func() (*sqlite.Conn, error) {
		return connect(readOnlyURI(path), sqlite.OpenReadOnly|sqlite.OpenURI, readerPragmas)
	}
	return j.read("open", func(c *sqlite.Conn) error {
		version, err := checkSchema(c)
		if err != nil {
			return err
		}
		if version < schemaVersion() {
			return fmt.Errorf("%w: its schema has version %d, this program needs %d", ErrOlder, version, schemaVersion())
		}
		j.mapping, _, err = readMapping(c)
		return err
	})
}

// readOnlyURI decides how to read without writing. readonly_shm keeps SQLite from touching the index
// of the log; a log without its index, which a restored backup may be, has to be given one.
func readOnlyURI(path string) string {
	log, logErr := os.Stat(path + "-wal")
	_, indexErr := os.Stat(path + "-shm")
	switch {
	case logErr == nil && indexErr == nil:
		return fileURI(path, "mode=ro&readonly_shm=1")
	case logErr == nil && log.Size() > 0:
		return fileURI(path, "mode=ro")
	}
	return fileURI(path, "immutable=1")
}

// memories numbers the databases in memory: equal names would share one.
var memories atomic.Int64

// OpenMemory returns an empty journal that leaves no trace: for a plan before the first run. It must
// not be written to while a cursor is open.
func OpenMemory(m Mapping) (*Journal, error) {
	j := &Journal{mapping: m}
	name := fmt.Sprintf("file:/snapsync-%d?vfs=memdb", memories.Add(1))
	c, err := connect(name, sqlite.OpenReadWrite|sqlite.OpenCreate|sqlite.OpenURI, nil)
	if err != nil {
		return nil, j.fail("open", err)
	}
	if err := j.start(c); err != nil {
		c.Close()
		return nil, j.fail("open", err)
	}
	j.readers.open = func() (*sqlite.Conn, error) {
		return connect(name, sqlite.OpenReadOnly|sqlite.OpenURI, readerPragmas)
	}
	return j, nil
}

// Mapping returns what the journal is about.
func (j *Journal) Mapping() Mapping { return j.mapping }

// name is what messages call the file.
func (j *Journal) name() string {
	if j.path == "" {
		return "in memory"
	}
	return j.path
}

// maxLog is the size of the write-ahead log from which on Close folds it in. Until then the next Open reads it, in a millisecond;
// to fold it in waits for the disk three times, and some ten runs share that.
const maxLog = 1 << 20

// Close closes the journal. Cursors must have been closed before. Its write-ahead log stays beside it, as after a crash, unless it
// has grown: everything in it is durable, and the next Open goes on with it.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.readOnly = false
	if j.conn == nil {
		return j.fail("close", j.readers.close())
	}
	c := j.conn
	j.conn = nil
	if log, err := os.Stat(j.path + "-wal"); j.path == "" || err == nil && log.Size() > maxLog {
		err := j.readers.close()
		// Another process may be reading, which is no error: the log stays, and a later Close folds it in.
		c.SetBusyTimeout(closeTimeout)
		_, cerr := queryInt(c, "PRAGMA wal_checkpoint(TRUNCATE)")
		return j.fail("close", errors.Join(err, cerr, c.Close()))
	}
	// SQLite folds the log in when the last connection is closed, if that may write. So the last one is a reader, which has the
	// file open once it has read.
	err := j.read("close", func(c *sqlite.Conn) error {
		_, err := queryInt(c, "PRAGMA schema_version")
		return err
	})
	return j.fail("close", errors.Join(err, c.Close(), j.readers.close()))
}
