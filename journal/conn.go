package journal

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// busyTimeout is how long to wait for a lock. Only one process writes a journal, so nobody holds one
// for longer than a checkpoint takes.
const busyTimeout = 10 * time.Second

// closeTimeout is how long Close waits for readers: what it wants is only tidiness.
const closeTimeout = time.Second

// The writer's settings. FULL makes every commit durable before it returns. A checkpoint every
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

// The settings that are in the file itself.
// Pages of 8 KiB instead of 4 made a first run a quarter faster and reading no slower.
var formatPragmas = []string{
	"page_size = 8192",
	"journal_mode = WAL",
}

// A reader goes through the base in order and needs little more than the inner pages, 2 MiB for
// 1,000,000 rows. Memory-mapping gained nothing when measured, and a truncated file would be a SIGBUS.
var readerPragmas = []string{
	"query_only = ON",
	"cache_size = -2048",
	"trusted_schema = OFF",
	"cell_size_check = ON",
}

// connect opens one connection with its settings.
func connect(name string, flags sqlite.OpenFlags, pragmas []string) (*sqlite.Conn, error) {
	c, err := sqlite.OpenConn(name, flags)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(busyTimeout)
	if err := configure(c, pragmas); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func configure(c *sqlite.Conn, pragmas []string) error {
	for _, p := range pragmas {
		if err := sqlitex.ExecuteTransient(c, "PRAGMA "+p, nil); err != nil {
			return err
		}
	}
	return nil
}

// fileURI is path as SQLite's URI, with parameters.
func fileURI(path, query string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") && filepath.VolumeName(path) != "" {
		path = "/" + path // file:///C:/x
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query, OmitHost: true}
	if !strings.HasPrefix(path, "/") {
		u.Opaque, u.Path = (&url.URL{Path: path}).EscapedPath(), "" // file:relative
	}
	return u.String()
}

// stmt binds values in order. Statements are prepared once per connection and cached there.
type stmt struct {
	*sqlite.Stmt
	bound int
}

func prepare(c *sqlite.Conn, query string) (stmt, error) {
	s, err := c.Prepare(query)
	return stmt{Stmt: s}, err
}

func (s *stmt) text(v string) { s.bound++; s.BindText(s.bound, v) }

// name binds "" as NULL, which costs no allocation in SQLite.
func (s *stmt) name(v string) {
	if v == "" {
		s.bound++
		s.BindNull(s.bound)
		return
	}
	s.text(v)
}

func (s *stmt) int(v int64) { s.bound++; s.BindInt64(s.bound, v) }
func (s *stmt) bool(v bool) { s.bound++; s.BindBool(s.bound, v) }

// blob binds nil as NULL.
func (s *stmt) blob(v []byte) {
	s.bound++
	if v == nil {
		s.BindNull(s.bound)
		return
	}
	s.BindBytes(s.bound, v)
}

// run executes a statement that returns no rows.
func (s *stmt) run() error {
	_, err := s.Step()
	return err
}

// each calls fn for every row and leaves the statement reset, whatever happens.
func (s *stmt) each(fn func() error) error {
	for {
		more, err := s.Step()
		if err != nil || !more {
			return err
		}
		if err := fn(); err != nil {
			s.Reset()
			return err
		}
	}
}

// query runs a statement with the given arguments and calls fn, which may be nil, for every row. It
// is for statements that run once in a while; hot ones bind by hand.
func query(c *sqlite.Conn, text string, fn func(*sqlite.Stmt) error, args ...any) error {
	return sqlitex.Execute(c, text, &sqlitex.ExecOptions{Args: args, ResultFunc: fn})
}

// queryInt runs a statement and returns the first column of its only row.
func queryInt(c *sqlite.Conn, text string, args ...any) (n int64, err error) {
	err = query(c, text, func(s *sqlite.Stmt) error {
		n = s.ColumnInt64(0)
		return nil
	}, args...)
	return n, err
}

// rollback ends a transaction that failed. SQLite may have ended it already.
func rollback(c *sqlite.Conn) {
	if !c.AutocommitEnabled() {
		_ = query(c, "ROLLBACK", nil)
	}
}
