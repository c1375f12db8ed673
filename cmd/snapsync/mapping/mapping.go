// Package mapping has a source and a remote together with their state: where it is, who has it, how it is opened and forgotten.
//
//	Store      the state directory, with the states of all mappings
//	Mapping    a source, a remote, the directory of their state
//	Session    one that is open: its journal, and its lock unless it is only read
//	Holder     the process that has one
//	Location   where a mapping writes, and whether two overlap
//
// What the package guarantees: two ways of writing the same source and remote find the same state; one process has a mapping at a time;
// reading leaves no trace. The package knows no flags, no config file and no terminal.
package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// Mapping is a source and a remote, and where the two have their state:
//
//	<state-dir>/<name>/journal.db   package journal's, and its log beside it: journal.db-wal, journal.db-shm
//	<state-dir>/<name>/lock         see lock.go
//
// The name is the last element of the source, for people, and 12 hex digits of a hash of the source
// and the remote, both in canonical form: two ways of writing the same mapping find the same state.
type Mapping struct {
	ID      string
	Dir     string
	Source  string // absolute, without symlinks
	Key     string // canonical: the same for every spelling, without secrets
	Remote  string // as rclone takes it
	Display string // as people may see it
	Err     error  // why its state cannot be read: then source and remote are not known

	Name   string // its name in the config file; "": it is not there
	Handle string // how a command line names it then: -m NAME
}

// JournalPath returns the file of the journal, which need not exist.
func (m *Mapping) JournalPath() string { return filepath.Join(m.Dir, "journal.db") }

// HasState reports whether there is a journal.
func (m *Mapping) HasState() bool {
	_, err := os.Stat(m.JournalPath())
	return err == nil
}

func (m *Mapping) String() string {
	if m.Name != "" {
		return fmt.Sprintf("%s (%s → %s)", m.Name, text.Path(m.Source), m.Display)
	}
	if m.Err != nil {
		return m.ID
	}
	return text.Path(m.Source) + " → " + m.Display
}

// Label returns the one word for a mapping: its name in the config file, else that of its state.
func (m *Mapping) Label() string {
	return cmp.Or(m.Name, m.ID)
}

// mayBe reports whether a mapping that cannot be read may have this source and this remote, either of
// which may be empty: any. Its name is all that is left of them.
func (m *Mapping) mayBe(source, key string) bool {
	switch {
	case source != "" && key != "":
		return m.ID == nameOf(source, key)
	case source != "":
		return strings.HasPrefix(m.ID, Slug(filepath.Base(source))+"-")
	}
	return true
}

// nameOf is the name of a mapping's state.
func nameOf(source, key string) string {
	sum := sha256.Sum256([]byte(source + "\x00" + key))
	return Slug(filepath.Base(source)) + "-" + hex.EncodeToString(sum[:6])
}

// RemoteHint tells a person what a remote looks like.
const RemoteHint = "a remote is name:path, :type,option=value:path or a directory; 'snapsync config init' shows those that are configured"

// Store is the state directory: the states of all mappings.
type Store struct{ Root string }

// At returns the mapping of source and remote, whether it has state or not. It touches nothing.
func (s Store) At(source, remote string) (*Mapping, error) {
	key, display, err := rclone.Canonical(remote)
	if err != nil {
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: RemoteHint}
	}
	name := nameOf(source, key)
	return &Mapping{ID: name, Dir: filepath.Join(s.Root, name), Source: source, Key: key, Remote: remote, Display: display}, nil
}

// Slug keeps what is safe in a file name anywhere.
func Slug(s string) string {
	keep := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}
	s = strings.Trim(strings.Map(keep, s), "-.")
	if s == "" {
		return "root"
	}
	return s[:min(len(s), 40)]
}

// FindSource returns the directory that src means, absolute and without symlinks; "" is the working directory.
func FindSource(src string) (string, error) {
	if src == "" {
		src = "."
	}
	abs, err := filepath.Abs(src)
	if err != nil {
		return "", fmt.Errorf("find source: %w", err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", noSource(fmt.Errorf("source %s does not exist", text.Path(abs)))
	}
	if err != nil {
		return "", noSource(fmt.Errorf("find source: %w", err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", noSource(fmt.Errorf("find source: %w", err))
	}
	if !info.IsDir() {
		return "", exit.Usage("name the directory that holds it and --include the file", "source %s is not a directory", text.Path(abs))
	}
	return real, nil
}

func noSource(err error) error {
	return &exit.Failure{Status: exit.StatusNoSource, Err: err, Hint: "if it is on a disk or share of its own, check that it is mounted; nothing was changed on the remote"}
}

// RealPath returns the absolute path without symlinks of something that need not exist: of what is
// missing only the part that exists is resolved.
func RealPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err == nil {
		return real, nil
	}
	parent := filepath.Dir(abs)
	if !errors.Is(err, fs.ErrNotExist) || parent == abs {
		return abs, nil
	}
	if parent, err = RealPath(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(abs)), nil
}

// List returns the mappings that have state, by name, those that cannot be read among them.
func (s Store) List() ([]*Mapping, error) {
	entries, err := os.ReadDir(s.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list mappings: %w", err)
	}
	var found []*Mapping
	for _, e := range entries {
		m := &Mapping{ID: e.Name(), Dir: filepath.Join(s.Root, e.Name())}
		switch _, err := os.Stat(m.JournalPath()); {
		case errors.Is(err, fs.ErrPermission): // another user's: a run with sudo made it, say
			m.Err = fmt.Errorf("open state %s: %w", m.ID, err)
		case err != nil:
			continue
		default:
			m.Err = m.load()
		}
		found = append(found, m)
	}
	return found, nil
}

// load reads from the journal what the mapping is.
func (m *Mapping) load() error {
	j, err := m.journalOnly()
	if err != nil {
		return fmt.Errorf("open state %s: %w", m.ID, err)
	}
	defer j.Close()
	m.Source, m.Key = j.Mapping().Source, j.Mapping().Remote
	m.Remote, m.Display = m.Key, m.Key
	return nil
}
