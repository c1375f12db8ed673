package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/snapsync/snapsync/journal/database"
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

// updateDocument changes the document D, and writes it if that made a difference.
func updateDocument[D document](t *database.Tx, change func(*D)) error {
	var d D
	was := "{}" // of a document that was never written
	if err := t.Query("SELECT json FROM document WHERE owner = ?", func(row database.Row) error {
		was = row.ColumnText(0)
		return nil
	}, d.owner()); err != nil {
		return err
	}
	if err := decodeDocument(was, &d); err != nil {
		return database.Damaged("document %s: %w", d.owner(), err)
	}
	change(&d)
	text, err := json.Marshal(&d)
	if err != nil || string(text) == was {
		return err
	}
	return t.Exec("INSERT INTO document (owner, json) VALUES (?, ?) ON CONFLICT DO UPDATE SET json = excluded.json", d.owner(), string(text))
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

// documents are those of all owners.
type documents struct{ db *database.DB }

// State returns all documents, as they are at one moment; a zero State in a new journal.
func (d *documents) State() (s State, err error) {
	err = d.db.Read("read state", func(c database.Conn) error {
		return c.Query("SELECT owner, json FROM document", func(row database.Row) error {
			if err := s.decode(row.ColumnText(0), row.ColumnText(1)); err != nil {
				return database.Damaged("document %s: %w", row.ColumnText(0), err)
			}
			return nil
		})
	})
	return s, err
}

// Update changes the document that change takes. If it does not differ afterwards, nothing is written. change may
// read the journal: nothing else is written meanwhile.
func Update[D document](j *Journal, change func(*D)) error {
	return j.db.Write("update state", func(t *database.Tx) error { return updateDocument(t, change) })
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
