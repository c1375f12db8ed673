package database

import "sync"

// views are those that are open at once, on one state. The lock is held while one opens and while a commit is made, so that
// neither happens in the middle of the other; it comes after that of the writer.
type views struct {
	sync.Mutex
	open    int   // how many
	shown   int64 // the version that they show
	version int64 // grows with every commit that outdates them
}

// View is a connection with a read transaction of its own, so that it shows one state for as long as it is open. Views read in
// parallel, and do not stop the writer; the write-ahead log grows meanwhile.
type View struct {
	Conn // zero after Close
	db   *DB
}

// View opens one. All that are open at once show the same state: rather than break that, View fails if a commit has outdated the
// first of them.
func (db *DB) View() (*View, error) {
	c, err := db.readers.take()
	if err != nil {
		return nil, db.Fail("open cursor", err)
	}
	if err := db.begin(c); err != nil {
		c.rollback()
		db.readers.give(c)
		return nil, db.Fail("open cursor", err)
	}
	return &View{c, db}, nil
}

func (db *DB) begin(c Conn) error {
	at := &db.views
	at.Lock()
	defer at.Unlock()
	if at.open > 0 && at.shown != at.version {
		return ErrStale
	}
	if err := c.Exec("BEGIN"); err != nil {
		return err
	}
	// BEGIN reads nothing: the first read fixes the state.
	if _, err := c.Int("SELECT last_seq FROM counter"); err != nil {
		return err
	}
	at.open++
	at.shown = at.version
	return nil
}

// Closed returns an error if the view is closed.
func (v *View) Closed() error {
	if v.Conn.Conn == nil {
		return ErrClosed
	}
	return nil
}

// Close ends the view. A second time it does nothing.
func (v *View) Close() error {
	if v.Closed() != nil {
		return nil
	}
	err := v.Exec("COMMIT")
	v.rollback()
	v.db.readers.give(v.Conn)
	v.Conn = Conn{}
	v.db.views.Lock()
	defer v.db.views.Unlock()
	v.db.views.open--
	return v.db.Fail("close cursor", err)
}

// Fail is DB.Fail.
func (v *View) Fail(op string, err error) error { return v.db.Fail(op, err) }
