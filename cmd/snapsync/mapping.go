package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine/remote"
)

// mapping is a source and a remote, and where the two have their state:
//
//	<state-dir>/<name>/journal.db   package journal's
//	<state-dir>/<name>/lock         see lock.go
//
// The name is the last element of the source, for people, and 12 hex digits of a hash of the source
// and the remote, both in canonical form: two ways of writing the same mapping find the same state.
type mapping struct {
	name    string
	dir     string
	source  string // absolute, without symlinks
	remote  string // canonical: the same for every spelling, without secrets
	open    string // as rclone takes it
	display string // as people may see it
	err     error  // why its state cannot be read: then source and remote are not known

	spec   *spec  // of the config file; nil: it is not there
	handle string // how a command line names it then: -m NAME
}

func (m *mapping) journalPath() string { return filepath.Join(m.dir, "journal.db") }

func (m *mapping) hasState() bool {
	_, err := os.Stat(m.journalPath())
	return err == nil
}

func (m *mapping) String() string {
	if m.spec != nil {
		return fmt.Sprintf("%s (%s → %s)", m.spec.name, show(m.source), m.display)
	}
	if m.err != nil {
		return m.name
	}
	return show(m.source) + " → " + m.display
}

// title is the name in the config file, if it is there.
func (m *mapping) title() string {
	if m.spec == nil {
		return ""
	}
	return m.spec.name
}

// label is the one word for a mapping: its name in the config file, else that of its state.
func (m *mapping) label() string {
	if m.spec != nil {
		return m.spec.name
	}
	return m.name
}

// mayBe reports whether a mapping that cannot be read may have this source and this remote, either of
// which may be empty: any. Its name is all that is left of them.
func (m *mapping) mayBe(source, key string) bool {
	switch {
	case source != "" && key != "":
		return m.name == nameOf(source, key)
	case source != "":
		return strings.HasPrefix(m.name, slug(filepath.Base(source))+"-")
	}
	return true
}

// nameOf is the name of a mapping's state.
func nameOf(source, key string) string {
	sum := sha256.Sum256([]byte(source + "\x00" + key))
	return slug(filepath.Base(source)) + "-" + hex.EncodeToString(sum[:6])
}

// stateRoot is the directory that holds the states of all mappings.
func (g *globals) stateRoot() (string, error) {
	dir := g.StateDir
	if dir == "" {
		dir = filepath.Join(xdg.StateHome, "snapsync")
	}
	dir, err := realPath(dir)
	if err != nil {
		return "", fmt.Errorf("find state directory: %w", err)
	}
	return dir, nil
}

const remoteHint = "a remote is name:path, :type,option=value:path or a directory; 'rclone listremotes' shows those that are configured"

// newMapping computes where the state of source and remote is. It touches nothing.
func newMapping(stateRoot, source, remote string) (*mapping, error) {
	key, display, err := rclone.Canonical(remote)
	if err != nil {
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: remoteHint}
	}
	name := nameOf(source, key)
	return &mapping{name: name, dir: filepath.Join(stateRoot, name), source: source, remote: key, open: remote, display: display}, nil
}

// slug keeps what is safe in a file name anywhere.
func slug(s string) string {
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

// mappingFor is the mapping that `run` and `plan` are told: a source that exists and a remote that
// lies neither inside it nor around it.
func (a *app) mappingFor(src string, t *target) (*mapping, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	source, err := findSource(src)
	if err != nil {
		return nil, err
	}
	root, err := a.stateRoot()
	if err != nil {
		return nil, err
	}
	if err := a.startRclone(); err != nil {
		return nil, err
	}
	m, err := newMapping(root, source, t.Remote)
	if err != nil {
		return nil, err
	}
	err = rclone.Overlaps(source, t.Remote)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, remote.ErrFatal): // the remote is not even known
		return nil, err
	case errors.Unwrap(err) != nil: // rclone's: the remote cannot be looked through
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: remoteHint}
	}
	return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "choose a remote that is neither inside the source nor around it"}
}

// findSource returns the directory that src means, absolute and without symlinks.
func findSource(src string) (string, error) {
	if src == "" {
		src = "."
	}
	abs, err := filepath.Abs(src)
	if err != nil {
		return "", fmt.Errorf("find source: %w", err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", noSource(fmt.Errorf("source %s does not exist", show(abs)))
	}
	if err != nil {
		return "", noSource(fmt.Errorf("find source: %w", err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", noSource(fmt.Errorf("find source: %w", err))
	}
	if !info.IsDir() {
		return "", exit.Usage("name the directory that holds it and --include the file", "source %s is not a directory", show(abs))
	}
	return real, nil
}

func noSource(err error) error {
	return &exit.Failure{Status: exit.StatusNoSource, Err: err, Hint: "if it is on a disk or share of its own, check that it is mounted; nothing was changed on the remote"}
}

// realPath is the absolute path without symlinks of something that need not exist: of what is
// missing only the part that exists is resolved.
func realPath(path string) (string, error) {
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
	if parent, err = realPath(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(abs)), nil
}

// mappings lists the mappings that have state, by name, those that cannot be read among them.
func (a *app) mappings() ([]*mapping, error) {
	root, err := a.stateRoot()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list mappings: %w", err)
	}
	var found []*mapping
	for _, e := range entries {
		m := &mapping{name: e.Name(), dir: filepath.Join(root, e.Name())}
		if !m.hasState() {
			continue
		}
		m.err = m.load()
		found = append(found, m)
	}
	return found, nil
}

// load reads from the journal what the mapping is.
func (m *mapping) load() error {
	j, err := m.journalOnly()
	if err != nil {
		return fmt.Errorf("open state %s: %w", m.name, err)
	}
	defer j.Close()
	m.source, m.remote = j.Mapping().Source, j.Mapping().Remote
	m.open, m.display = m.remote, m.remote
	return nil
}
