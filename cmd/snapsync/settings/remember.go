package settings

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
)

// Remember stores the flags with the mapping, so that later commands judge by the same rules. The backup directory is kept
// without the secrets that it may name.
func Remember(s *mapping.Session, f *SyncFlags) error {
	kept := *f
	if kept.BackupDir != "" {
		place, _, err := rclone.Canonical(kept.BackupDir)
		if err != nil {
			return fmt.Errorf("remember flags: %w", err)
		}
		kept.BackupDir = place
	}
	text, err := json.Marshal(&kept)
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
// not there those of the last run, unless some were given now on the command line. Variables add to them.
func (r *Resolver) Recall(s *mapping.Session, given *SyncFlags) (*SyncFlags, error) {
	if written := r.written[s.ID]; written != nil {
		flags := written.SyncFlags
		r.give(FlagsOf(&flags), FlagsOf(given))
		return &flags, nil
	}
	now := FlagsOf(given)
	state, err := s.Journal.State()
	if err != nil || state.Options == "" || slices.ContainsFunc(now, func(f *kong.Flag) bool { return r.Given[f.Name] == ByFlag }) {
		return given, err
	}
	kept := &SyncFlags{}
	if err := json.Unmarshal([]byte(state.Options), kept); err != nil {
		return nil, journal.Damaged("the flags of the last run: %w", err)
	}
	if kept.BackupDir != "" {
		kept.BackupDir = rclone.Beside(s.Remote, kept.BackupDir) // with the secrets of the remote, which it is on
	}
	r.give(FlagsOf(kept), now)
	return kept, nil
}
