package journal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"zombiezen.com/go/sqlite"
)

// A document is what one owner remembers, as JSON:
//
//	{"adopted":true,"identity":"{…}","mounts":{"6469736B":42},"last_run":"2023-11-14T22:13:20.000000123Z"}
//
// Each is read strictly: a name that is not known is damage, not something to be ignored, since a flipped bit in
// "identity" would otherwise make any source pass. So a new field needs a migration, which may be empty: the
// version of the schema is what tells an older program that it does not know everything.
type document interface {
	EngineState | CommandState | ProcessState | Decisions
	owner() string
}

// nothing is the text of a document that was never written.
const nothing = "{}"

// readDocument returns the document D, and its text.
func readDocument[D document](c *sqlite.Conn) (d D, text string, err error) {
	text = nothing
	if err := query(c, "SELECT json FROM document WHERE owner = ?", func(s *sqlite.Stmt) error {
		text = s.ColumnText(0)
		return nil
	}, d.owner()); err != nil {
		return d, "", err
	}
	if err := decodeDocument(text, &d); err != nil {
		return d, "", damaged("document %s: %w", d.owner(), err)
	}
	return d, text, nil
}

func decodeDocument(text string, d any) error {
	in := json.NewDecoder(bytes.NewReader([]byte(text)))
	in.DisallowUnknownFields()
	if err := in.Decode(d); err != nil {
		return err
	}
	if _, err := in.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}

// writeDocument writes d unless its text is was.
func writeDocument[D document](t *transaction, d *D, was string) error {
	text, err := json.Marshal(d)
	if err != nil || string(text) == was {
		return err
	}
	return query(t.Conn, "INSERT INTO document (owner, json) VALUES (?, ?) ON CONFLICT DO UPDATE SET json = excluded.json",
		nil, (*d).owner(), string(text))
}

// updateDocument changes one document.
func updateDocument[D document](t *transaction, change func(*D)) error {
	d, was, err := readDocument[D](t.Conn)
	if err != nil {
		return err
	}
	change(&d)
	return writeDocument(t, &d, was)
}

// readState reads all documents, as they are at one moment.
func readState(c *sqlite.Conn) (s State, err error) {
	err = query(c, "SELECT owner, json FROM document", func(q *sqlite.Stmt) error {
		if err := s.decode(q.ColumnText(0), q.ColumnText(1)); err != nil {
			return damaged("document %s: %w", q.ColumnText(0), err)
		}
		return nil
	})
	return s, err
}

// decode reads the document of one owner.
func (s *State) decode(owner, text string) error {
	switch owner {
	case s.EngineState.owner():
		return decodeDocument(text, &s.EngineState)
	case s.CommandState.owner():
		return decodeDocument(text, &s.CommandState)
	case s.ProcessState.owner():
		return decodeDocument(text, &s.ProcessState)
	case s.Decisions.owner():
		return decodeDocument(text, &s.Decisions)
	}
	return errors.New("nobody has this name")
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
