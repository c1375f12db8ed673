package database

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// migrations are applied in the order of their names; the n-th leads to schema version n. A file that
// was released is never edited.
//
//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a SQLite file as a journal: "snap" in ASCII.
const applicationID = 0x736e6170

// schemaVersion is the version that this program reads and writes.
func schemaVersion() int {
	files, _ := fs.Glob(migrations, "migrations/*.sql")
	return len(files)
}

// migrate brings an open database to schemaVersion. Each step is one transaction: a crash leaves the
// schema before it or after it, and the next Open continues.
func migrate(c Conn) error {
	version, err := checkSchema(c)
	if err != nil {
		return err
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	for n := version + 1; n <= len(files); n++ {
		script, err := fs.ReadFile(migrations, files[n-1])
		if err != nil {
			return err
		}
		if err := apply(c, string(script), n); err != nil {
			return fmt.Errorf("migrate to version %d: %w", n, err)
		}
	}
	return nil
}

func apply(c Conn, script string, version int) error {
	var text strings.Builder
	text.WriteString("BEGIN IMMEDIATE;\n")
	text.WriteString(script)
	fmt.Fprintf(&text, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;\n", applicationID, version)
	for rest := text.String(); strings.TrimSpace(rest) != ""; {
		s, trailing, err := c.PrepareTransient(rest)
		if err == nil {
			_, err = s.Step()
			err = cmp.Or(err, s.Finalize())
		}
		if err != nil {
			c.rollback()
			return err
		}
		rest = rest[len(rest)-trailing:]
	}
	return nil
}

// checkSchema returns the version of the schema, 0 for an empty database, and an error if the file is
// not a journal or comes from the future.
func checkSchema(c Conn) (version int, err error) {
	id, err := c.Int("PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	v, err := c.Int("PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	tables, err := c.Int("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, err
	}
	switch {
	case id == 0 && v == 0 && tables == 0:
		return 0, nil
	case id != applicationID || v < 1:
		return 0, fmt.Errorf("%w: this is a database of another program", ErrDamaged)
	case v > int64(schemaVersion()):
		return 0, fmt.Errorf("%w: its schema has version %d, this program knows %d", ErrNewer, v, schemaVersion())
	}
	return int(v), nil
}
