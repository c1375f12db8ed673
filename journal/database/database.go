// Package database is the SQLite file of a journal: how it is made, opened, migrated, read and written, and what its errors mean.
// What the tables hold belongs to the packages above; their form is in migrations.
//
// One connection writes and up to eight idle ones wait for readers. What was written is durable when Write returns
// (WAL with synchronous=FULL), and nothing of it happened if Write fails. Read sees what was committed last and never waits for
// the writer. Memory is bounded: 8 MiB for the writer, 2 MiB for each reader.
//
// On disk that is the database, its write-ahead log and the log's index, which belong together: path, path-wal and path-shm. The
// log is folded into the database only when it has grown.
package database

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"
)

// DB is an open database. All methods may be called from any goroutine.
type DB struct {
	path     string // "" if it is in memory only
	readOnly bool
	readers  pool
	views    views

	mu        sync.Mutex                          // held for the whole of a writing transaction; guards what follows
	conn      Conn                                // of the writer; zero: read-only or closed
	intercept func(op string, durable bool) error // see Intercept
}

// Open opens the database at path for reading and writing, creating it if it is missing; its directory must exist. start runs on
// the writer's connection before anything else, and on a new database before that has its name.
func Open(path string, start func(Conn) error) (*DB, error) {
	db := &DB{path: path}
	if err := db.open(start); err != nil {
		return nil, db.Fail("open", err)
	}
	db.readers.open = func() (Conn, error) { return connect(path, sqlite.OpenReadOnly, readerPragmas) }
	return db, nil
}

func (db *DB) open(start func(Conn) error) error {
	if err := create(db.path, start); err != nil {
		return err
	}
	c, err := connect(db.path, sqlite.OpenReadWrite, nil)
	if err != nil {
		return err
	}
	// The file is looked at before any pragma changes it: it may not be ours.
	if _, err = checkSchema(c); err == nil {
		err = c.configure(writerPragmas)
	}
	return db.start(c, err, start)
}

// start makes c the writer, once it is migrated and start has seen it, and closes it after an error.
func (db *DB) start(c Conn, err error, start func(Conn) error) error {
	if err == nil {
		err = migrate(c)
	}
	if err == nil {
		err = start(c)
	}
	if err != nil {
		c.Close()
		return err
	}
	db.conn = c
	return nil
}

// openTries bounds how many writers may come and go while a database is opened to be read.
const openTries = 5

// OpenReadOnly opens the database at path without changing anything on disk: the file may be in use by another process, or be
// left as a crash left it. An error that is fs.ErrNotExist means that there is none yet. start runs on a connection first.
//
// Without a write-ahead log, which Close leaves mostly, the file is taken as immutable, so that not even SQLite's lock files are
// created: the caller holds the mapping's lock, or accepts ErrDamaged if a writer starts meanwhile. With one, the log is read,
// and what was in it when reading started is seen.
func OpenReadOnly(path string, start func(Conn) error) (*DB, error) {
	for n := 1; ; n++ {
		uri := readOnlyURI(path)
		db := &DB{path: path, readOnly: true}
		err := db.openReadOnly(start)
		if err == nil {
			return db, nil
		}
		_ = db.readers.close() // err says more
		// A writer that came or went between the two looks left SQLite with a log, or an index, that is not
		// there any more, or that was not there yet.
		if n == openTries || readOnlyURI(path) == uri {
			return nil, db.Fail("open", err)
		}
	}
}

func (db *DB) openReadOnly(start func(Conn) error) error {
	if _, err := os.Stat(db.path); err != nil {
		return err
	}
	db.readers.open = func() (Conn, error) {
		return connect(readOnlyURI(db.path), sqlite.OpenReadOnly|sqlite.OpenURI, readerPragmas)
	}
	return db.Read("open", func(c Conn) error {
		version, err := checkSchema(c)
		if err != nil {
			return err
		}
		if version < schemaVersion() {
			return fmt.Errorf("%w: its schema has version %d, this program needs %d", ErrOlder, version, schemaVersion())
		}
		return start(c)
	})
}

// memories numbers the databases in memory: equal names would share one.
var memories atomic.Int64

// OpenMemory returns an empty database that leaves no trace. It must not be written to while a View is open.
func OpenMemory(start func(Conn) error) (*DB, error) {
	db := new(DB)
	name := fmt.Sprintf("file:/snapsync-%d?vfs=memdb", memories.Add(1))
	c, err := connect(name, sqlite.OpenReadWrite|sqlite.OpenCreate|sqlite.OpenURI, nil)
	if err == nil {
		err = db.start(c, nil, start)
	}
	if err != nil {
		return nil, db.Fail("open", err)
	}
	db.readers.open = func() (Conn, error) { return connect(name, sqlite.OpenReadOnly|sqlite.OpenURI, readerPragmas) }
	return db, nil
}

// ReadOnly reports whether the database was opened by OpenReadOnly.
func (db *DB) ReadOnly() bool { return db.readOnly }

// maxLog is the size of the write-ahead log from which on Close folds it in. Until then the next Open reads it, in a millisecond;
// to fold it in waits for the disk three times, and some ten runs share that.
const maxLog = 1 << 20

// Close closes the database. Views must have been closed before. Its write-ahead log stays beside it, as after a crash, unless it
// has grown: everything in it is durable, and the next Open goes on with it.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	c := db.conn
	if c.Conn == nil {
		return db.Fail("close", db.readers.close())
	}
	db.conn = Conn{}
	if log, err := os.Stat(db.path + "-wal"); db.path == "" || err == nil && log.Size() > maxLog {
		err := db.readers.close()
		// Another process may be reading, which is no error: the log stays, and a later Close folds it in.
		c.SetBusyTimeout(closeTimeout)
		_, cerr := c.Int("PRAGMA wal_checkpoint(TRUNCATE)")
		return db.Fail("close", errors.Join(err, cerr, c.Close()))
	}
	// SQLite folds the log in when the last connection is closed, if that may write. So the last one is a reader, which has the
	// file open once it has read.
	err := db.Read("close", func(c Conn) error {
		_, err := c.Int("PRAGMA schema_version")
		return err
	})
	return db.Fail("close", errors.Join(err, c.Close(), db.readers.close()))
}
