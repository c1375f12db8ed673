package settings

import (
	"encoding/json"
	"fmt"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/journal"
)

// Remember stores the flags with the mapping, so that later commands judge by the same rules. They hold no secrets: of the
// backup directory, which is on the mapping's own remote, the remote's options are left out.
func Remember(s *mapping.Session, f *SyncFlags) error {
	kept := *f
	kept.BackupDir = rclone.WithoutOptions(f.BackupDir)
	text, err := json.Marshal(kept)
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
	kept.BackupDir = rclone.WithOptionsOf(s.Remote, kept.BackupDir)
	return kept, nil
}
