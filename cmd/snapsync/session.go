package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// session is a mapping that is open: its journal, and its lock unless it is only read.
type session struct {
	*mapping
	journal *journal.Journal
	lock    *lock // nil: read-only
}

// open takes the mapping for this process and opens its journal, creating both if need be.
//
// A crash between the two leaves a directory with a lock file and no journal, which is how a mapping
// without state looks to everybody.
func (a *app) open(m *mapping) (*session, error) { return a.openAs(m, holder{socket: a.socket}) }

func (a *app) openAs(m *mapping, as holder) (*session, error) {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, &exit.Failure{Status: exit.StatusError, Err: fmt.Errorf("make state directory: %w", err), Hint: "choose another with --state-dir"}
	}
	l, err := takeLock(a.ctx, m.dir, as)
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(m.journalPath(), journal.Mapping{Source: m.source, Remote: m.remote})
	if err != nil {
		l.release()
		return nil, err
	}
	return &session{mapping: m, journal: j, lock: l}, nil
}

// read opens a mapping without leaving a trace. One that was never synced has an empty journal in memory.
func (a *app) read(m *mapping) (*session, error) {
	j, err := m.journalOnly()
	if !m.hasState() {
		j, err = journal.OpenMemory(journal.Mapping{Source: m.source, Remote: m.remote})
	}
	if err != nil {
		return nil, err
	}
	return &session{mapping: m, journal: j}, nil
}

// journalOnly opens the journal for reading. One that a process is making this very moment, which has
// no schema yet, is waited for.
func (m *mapping) journalOnly() (*journal.Journal, error) {
	const pause, tries = 20 * time.Millisecond, 100
	for n := 1; ; n++ {
		j, err := journal.OpenReadOnly(m.journalPath())
		if n == tries || !errors.Is(err, journal.ErrOlder) {
			return j, err
		}
		if _, running := lockHolder(m.dir); !running {
			return j, err
		}
		time.Sleep(pause)
	}
}

// close folds the journal into one file and lets the next process in, in this order.
func (s *session) close() error {
	err := s.journal.Close()
	if s.lock != nil {
		s.lock.release()
	}
	return err
}

// engineConfig is what the flags mean for the engine; the journal is left out, so that flags can be
// refused before anything is created.
func (a *app) engineConfig(m *mapping, f *syncFlags, t *transferFlags) (engine.Config, error) {
	if err := a.startRclone(); err != nil {
		return engine.Config{}, err
	}
	target, err := a.remoteConfig(m, f, t.Bwlimit)
	if err != nil {
		return engine.Config{}, err
	}
	target.UploadAge = t.UploadAge
	if err := a.checkOptions(target); err != nil {
		return engine.Config{}, err
	}
	filter, err := f.mirrored()
	if err != nil {
		return engine.Config{}, err
	}
	if err := a.stateOutside(m.source, filter); err != nil {
		return engine.Config{}, err
	}
	return engine.Config{
		Scan: snapshot.Config{
			Root:          m.source,
			Filter:        filter,
			Links:         f.linkMode(),
			OneFileSystem: f.OneFileSystem,
			Checksum:      f.Checksum,
			NewHash:       rclone.NewHash,
		},
		Connect: func(_ context.Context, uploads remote.Uploads) (remote.Connection, error) {
			remote := target
			remote.Uploads = uploads
			return backends.Open(a.ctx, remote) // not the caller's context: the remote outlives the call
		},
		CompleteSync: f.CompleteSync,
		EmptyDirs:    f.CreateEmptySrcDirs,
		Metadata:     f.Metadata,
		Boot:         bootID(),
		Options:      digestOptions(&target.Rclone),
		Log:          a.log,
	}, nil
}

// prepare is the mapping that `run` and `plan` are told and what their flags mean. All that can be
// refused is refused here, before anything is created.
func (a *app) prepare(src string, t *target, f *syncFlags, g *guardFlags, x *transferFlags) (*mapping, engine.Config, error) {
	m, err := a.mappingFor(src, t)
	if err != nil {
		return nil, engine.Config{}, err
	}
	if err := a.checkPlaces(m, f); err != nil {
		return nil, engine.Config{}, err
	}
	config, err := a.engineConfig(m, f, x)
	if err != nil {
		return nil, engine.Config{}, err
	}
	err = tune(&config, g, x)
	return m, config, err
}

// tune adds what only matters to a run.
func tune(c *engine.Config, g *guardFlags, t *transferFlags) (err error) {
	if c.MaxDelete, err = g.limit(); err != nil {
		return err
	}
	if err := t.attempts(); err != nil {
		return err
	}
	c.Approve, c.Retries = g.Approve, t.Retries
	c.Transfers, err = t.parallel()
	return err
}

// remember stores the flags with the mapping, so that later commands judge by the same rules.
func (s *session) remember(f *syncFlags) error {
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("remember flags: %w", err)
	}
	state, err := s.journal.State()
	if err != nil || state.Options == string(text) {
		return err
	}
	return s.journal.Update(func(st *journal.State) { st.Options = string(text) })
}

// recall returns the flags of the config file with those that were given now; for a mapping that is
// not there those of the last run, unless some were given now.
func (a *app) recall(s *session, given *syncFlags) (*syncFlags, error) {
	if s.spec != nil {
		flags := s.spec.syncFlags
		a.give(flagsOf(&flags), flagsOf(given))
		return &flags, nil
	}
	none, err := json.Marshal(&syncFlags{})
	if err != nil {
		return nil, err
	}
	now, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	state, err := s.journal.State()
	if err != nil || state.Options == "" || string(now) != string(none) {
		return given, err
	}
	kept := &syncFlags{}
	if err := json.Unmarshal([]byte(state.Options), kept); err != nil {
		return nil, fmt.Errorf("recall flags of the last run: %w", err)
	}
	return kept, nil
}

// bootID identifies this start of the machine where the system tells.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
