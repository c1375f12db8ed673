package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/engine/lookup"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// memory is what a run knows of the journal's documents: read once, and changed only together with the journal.
type memory struct {
	config *Config // of the Engine
	state  journal.EngineState
	// decided is what a person had decided when the run began, less what it has used. What is decided meanwhile is for the
	// next run.
	decided journal.Decisions
	used    journal.Decisions // what it has used, and the journal does not know of yet
}

// save has the journal remember what the run knows, where that is not to wait for the next plan or for the end of the run.
func (m *memory) save() error {
	if err := m.config.Journal.Remember(m.record(), m.config.Now()); err != nil {
		return err
	}
	m.used = journal.Decisions{}
	return nil
}

// record is what the journal is to remember of the run in its next transaction.
func (m *memory) record() *journal.Record { return &journal.Record{State: &m.state, Used: m.used} }

// use uses up those of the approvals that are set in d.
func (m *memory) use(d journal.Decisions) {
	if d.ApprovedDigest != "" {
		m.used.ApprovedDigest, m.decided.ApprovedDigest = d.ApprovedDigest, ""
	}
	if d.NewSourceApproved {
		m.used.NewSourceApproved, m.decided.NewSourceApproved = true, false
	}
	if d.NewRemoteApproved {
		m.used.NewRemoteApproved, m.decided.NewRemoteApproved = true, false
	}
}

// checkSource compares the root of the source with the one that was snapshotted. An empty directory
// where a disk should be mounted looks like a mass delete: this is what tells them apart.
func (m *memory) checkSource() (snapshot.Identity, error) {
	now, err := snapshot.Identify(m.config.Scan.Root)
	if err != nil {
		return now, fmt.Errorf("%w: %w", snapshot.ErrSourceGone, err)
	}
	if m.state.Identity == "" || m.decided.NewSourceApproved {
		return now, nil
	}
	var was snapshot.Identity
	if err := json.Unmarshal([]byte(m.state.Identity), &was); err != nil {
		return now, journal.Damaged("the source's identity: %w", err)
	}
	if same, why := now.Same(was); !same {
		return now, fmt.Errorf("%w: %s: %s", ErrNewSource, m.config.Scan.Root, why)
	}
	return now, nil
}

// takeSource takes in which file systems the acknowledged tree is made of, and what is held. An approval is for
// one plan, and is used up by the next.
func (m *memory) takeSource(source snapshot.Identity, mounts map[string]uint64, hold *guard.Hold, carries [][2]string) error {
	text, err := json.Marshal(source)
	if err != nil {
		return fmt.Errorf("encode the source's identity: %w", err)
	}
	s := &m.state
	s.Identity, s.Mounts = string(text), carryMounts(mounts, carries)
	s.HeldDigest, s.HeldWhy, s.HeldBase = "", "", 0
	if hold != nil {
		s.HeldDigest, s.HeldWhy, s.HeldBase = hold.Digest, hold.Why, hold.Base
	}
	used := journal.Decisions{NewSourceApproved: m.decided.NewSourceApproved}
	if s.HeldDigest != m.decided.ApprovedDigest {
		used.ApprovedDigest = m.decided.ApprovedDigest
	}
	m.use(used)
	return nil
}

// carryMounts expects a file system that is not mounted now also where its directory is moved to: the
// base's files are carried there. If the move does not happen, nothing is at stake at the new path.
func carryMounts(mounts map[string]uint64, carries [][2]string) map[string]uint64 {
	carried := maps.Clone(mounts)
	for _, c := range carries {
		from, to := c[0], c[1]
		for path, id := range mounts {
			if path == from || snapshot.Beneath(path, from) {
				carried[to+path[len(from):]] = id
			}
		}
	}
	return carried
}

// places are where the remote was, as the journal knows it.
func (m *memory) places() (all []remote.Place, err error) {
	if m.state.Places == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(m.state.Places), &all); err != nil {
		return nil, journal.Damaged("the remote's places: %w", err)
	}
	return all, nil
}

// takePlaces takes in where the remote is.
func (m *memory) takePlaces(all []remote.Place) error {
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode the remote's places: %w", err)
	}
	m.state.Places = string(text)
	return nil
}

// knownCaps is EngineState.Caps: what the remote could do, opened with these options.
type knownCaps struct {
	remote.Caps
	Options string `json:",omitempty"`
	Asked   bool   `json:",omitempty"` // which names are one was found out
}

// knownCaps are what the journal says of them.
func (m *memory) knownCaps() (known knownCaps, err error) {
	if m.state.Caps == "" {
		return known, nil
	}
	if err := json.Unmarshal([]byte(m.state.Caps), &known); err != nil {
		return known, journal.Damaged("the remote's capabilities: %w", err)
	}
	return known, nil
}

// takeCaps takes in what the opened remote can do, and whether it was asked which names are one.
func (m *memory) takeCaps(caps remote.Caps, asked bool) error {
	text, err := json.Marshal(knownCaps{caps, m.config.Options, asked})
	if err != nil {
		return fmt.Errorf("encode capabilities: %w", err)
	}
	m.state.Caps = string(text)
	return nil
}

// wantEmptyDirs makes turning on --create-empty-src-dirs count for what is already known. Without it
// the base has directories that hold no files as identities only: they are forgotten once, and so
// planned as new. A crash in between does it again.
func (m *memory) wantEmptyDirs(ctx context.Context) error {
	if m.config.EmptyDirs == m.state.EmptyDirs {
		return nil
	}
	if m.config.EmptyDirs {
		if err := lookup.ForgetEmptyDirs(ctx, m.config.Journal); err != nil {
			return err
		}
	}
	m.state.EmptyDirs = m.config.EmptyDirs
	return m.save()
}

// baseToBe is the base as wantEmptyDirs would leave it, without writing anything.
func (m *memory) baseToBe(ctx context.Context) (snapshot.Base, error) {
	if !m.config.EmptyDirs || m.state.EmptyDirs {
		return m.config.Journal, nil
	}
	forgotten, err := lookup.EmptyDirs(ctx, m.config.Journal)
	if err != nil || len(forgotten) == 0 {
		return m.config.Journal, err
	}
	return lookup.Without{Base: m.config.Journal, Dirs: forgotten}, nil
}
