package settings

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/snapsync/snapsync/backends"
	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// EngineConfig is what the flags mean for the engine; the journal is left out, so that flags can be
// refused before anything is created.
func (r *Resolver) EngineConfig(m *mapping.Mapping, f *SyncFlags, t *TransferFlags) (engine.Config, error) {
	if err := r.StartRclone(); err != nil {
		return engine.Config{}, err
	}
	target, err := r.RemoteConfig(m, f, t.Bwlimit)
	if err != nil {
		return engine.Config{}, err
	}
	target.UploadAge = t.UploadAge
	if err := checkOptions(&target); err != nil {
		return engine.Config{}, err
	}
	filter, err := f.Mirrored()
	if err != nil {
		return engine.Config{}, err
	}
	if err := r.StateOutside(m.Source, filter); err != nil {
		return engine.Config{}, err
	}
	return engine.Config{
		Scan: snapshot.Config{
			Root:          m.Source,
			Filter:        filter,
			Links:         f.linkMode(),
			OneFileSystem: f.OneFileSystem,
			Checksum:      f.Checksum,
			NewHash:       rclone.NewHash,
		},
		Connect: func(_ context.Context, uploads remote.Uploads) (remote.Connection, error) {
			remote := target
			remote.Uploads = uploads
			return backends.Open(r.Ctx, remote) // not the caller's context: the remote outlives the call
		},
		CompleteSync: f.CompleteSync,
		EmptyDirs:    f.CreateEmptySrcDirs,
		Metadata:     f.Metadata,
		Boot:         bootID(),
		Options:      digestOptions(&target.Rclone),
		Log:          r.Log,
	}, nil
}

// tune adds what only matters to a run.
func tune(c *engine.Config, g *GuardFlags, t *TransferFlags) (err error) {
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

// Remember stores the flags with the mapping, so that later commands judge by the same rules.
func Remember(s *mapping.Session, f *SyncFlags) error {
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("remember flags: %w", err)
	}
	state, err := s.Journal.State()
	if err != nil || state.Options == string(text) {
		return err
	}
	return journal.Update(s.Journal, func(st *journal.CommandState) { st.Options = string(text) })
}

// Recall returns the flags of the config file with those that were given now; for a mapping that is
// not there those of the last run, unless some were given now.
func (r *Resolver) Recall(s *mapping.Session, given *SyncFlags) (*SyncFlags, error) {
	if written := r.written[s.ID]; written != nil {
		flags := written.SyncFlags
		r.give(FlagsOf(&flags), FlagsOf(given))
		return &flags, nil
	}
	none, err := json.Marshal(&SyncFlags{})
	if err != nil {
		return nil, err
	}
	now, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	state, err := s.Journal.State()
	if err != nil || state.Options == "" || string(now) != string(none) {
		return given, err
	}
	kept := &SyncFlags{}
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
