package database

import (
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// busyTimeout is how long to wait for a lock. Only one process writes a journal, so nobody holds one
// for longer than a checkpoint takes.
const busyTimeout = 10 * time.Second

// closeTimeout is how long Close waits for readers before it leaves the log as it is.
const closeTimeout = time.Second

// writerPragmas are the settings of the connection that writes. FULL makes every commit durable before it returns. A checkpoint every
// 16 MiB of log instead of SQLite's 4 costs a quarter of the fsyncs. The cache holds the hot pages of
// a run that goes through the tree in order.
var writerPragmas = slices.Concat(formatPragmas, []string{
	"synchronous = FULL",
	"wal_autocheckpoint = 2048",
	"journal_size_limit = 16777216",
	"cache_size = -8192",
	"foreign_keys = ON",
	"trusted_schema = OFF",
	"cell_size_check = ON",
})

// formatPragmas are the settings that are in the file itself. Pages of 8 KiB instead of 4 made a first run a quarter faster and reading no slower.
var formatPragmas = []string{
	"page_size = 8192",
	"journal_mode = WAL",
}

// readerPragmas are the settings of a connection for reading. A reader goes through the base in order and needs little more than the inner pages, 2 MiB for
// 1,000,000 rows. Memory-mapping gained nothing when measured, and a truncated file would be a SIGBUS.
var readerPragmas = []string{
	"query_only = ON",
	"cache_size = -2048",
	"trusted_schema = OFF",
	"cell_size_check = ON",
}

// Conn is a connection to SQLite, for one goroutine at a time.
type Conn struct{ *sqlite.Conn }

// connect opens a connection with its settings.
func connect(name string, flags sqlite.OpenFlags, pragmas []string) (Conn, error) {
	opened, err := sqlite.OpenConn(name, flags)
	if err != nil {
		return Conn{}, err
	}
	c := Conn{opened}
	c.SetBusyTimeout(busyTimeout)
	if err := c.configure(pragmas); err != nil {
		c.Close()
		return Conn{}, err
	}
	return c, nil
}

func (c Conn) configure(pragmas []string) error {
	for _, p := range pragmas {
		if err := sqlitex.ExecuteTransient(c.Conn, "PRAGMA "+p, nil); err != nil {
			return err
		}
	}
	return nil
}

// Query runs a statement with the given arguments and calls fn for every row. It is for statements that run once in a while; hot
// ones are bound by hand: see Prepare.
func (c Conn) Query(text string, fn func(Row) error, args ...any) error {
	return sqlitex.Execute(c.Conn, text, &sqlitex.ExecOptions{Args: args, ResultFunc: func(s *sqlite.Stmt) error { return fn(Row{s}) }})
}

// Exec is Query of a statement that returns no rows.
func (c Conn) Exec(text string, args ...any) error {
	return sqlitex.Execute(c.Conn, text, &sqlitex.ExecOptions{Args: args})
}

// Int runs a statement and returns the first column of its only row.
func (c Conn) Int(text string, args ...any) (n int64, err error) {
	err = c.Query(text, func(row Row) error {
		n = row.ColumnInt64(0)
		return nil
	}, args...)
	return n, err
}

// ReadTx runs fn in a read transaction, which shows one state.
func (c Conn) ReadTx(fn func() error) error {
	if err := c.Exec("BEGIN"); err != nil {
		return err
	}
	defer c.rollback()
	return fn()
}

// rollback ends a transaction that failed. SQLite may have ended it already.
func (c Conn) rollback() {
	if !c.AutocommitEnabled() {
		_ = c.Exec("ROLLBACK")
	}
}
