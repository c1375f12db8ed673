package database

// Tx is a writing transaction.
type Tx struct {
	Conn
	outdates bool
	undo     []func()
}

// OnRollback has fn called if the transaction does not commit: for what is kept in memory beside the tables.
func (t *Tx) OnRollback(fn func()) { t.undo = append(t.undo, fn) }

// OutdatesViews says that the transaction changes what a View shows.
func (t *Tx) OutdatesViews() { t.outdates = true }

// Write runs fn in a transaction: all of it is durable when Write returns nil, and none of it happened otherwise. A panic of fn
// leaves none of it either. op says what is attempted, for messages: "acknowledge steps".
func (db *DB) Write(op string, fn func(*Tx) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	switch {
	case db.readOnly:
		return db.Fail(op, ErrReadOnly)
	case db.conn.Conn == nil:
		return db.Fail(op, ErrClosed)
	}
	return db.Fail(op, db.transact(op, fn))
}

func (db *DB) transact(op string, fn func(*Tx) error) error {
	if err := db.conn.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	t, done := &Tx{Conn: db.conn}, false
	defer func() {
		if !done {
			t.rollback()
			for _, undo := range t.undo {
				undo()
			}
		}
	}()
	rows := db.rowsWritten()
	if err := fn(t); err != nil {
		return err
	}
	intercepted := db.intercept != nil && db.rowsWritten() > rows
	if intercepted {
		if err := db.intercept(op, false); err != nil {
			return err
		}
	}
	if err := db.commit(t); err != nil {
		return err
	}
	done = true
	if intercepted {
		return db.intercept(op, true)
	}
	return nil
}

// rowsWritten counts the rows that the writer ever wrote; 0 if nobody intercepts.
func (db *DB) rowsWritten() (n int64) {
	if db.intercept != nil {
		n, _ = db.conn.Int("SELECT total_changes()")
	}
	return n
}

// Intercept has fn called just before each commit that writes a row, and once more when it is durable, with what was attempted.
// An error from fn is that of Write, and before the commit nothing is written then. It is for tests: a process that ends there, or
// a disk that fails, before or after the write has taken effect. nil: nobody is told.
func (db *DB) Intercept(fn func(op string, durable bool) error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.intercept = fn
}

func (db *DB) commit(t *Tx) error {
	db.views.Lock()
	defer db.views.Unlock()
	if err := t.Exec("COMMIT"); err != nil {
		return err
	}
	if t.outdates {
		db.views.version++
	}
	return nil
}
