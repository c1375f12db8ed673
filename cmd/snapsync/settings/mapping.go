package settings

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/adrg/xdg"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// States returns the state directory: that of --state-dir, else the standard one. It need not exist.
func (g *Globals) States() (mapping.Store, error) {
	dir := g.StateDir
	if dir == "" {
		dir = filepath.Join(xdg.StateHome, "snapsync")
	}
	dir, err := mapping.RealPath(dir)
	if err != nil {
		return mapping.Store{}, fmt.Errorf("find state directory: %w", err)
	}
	return mapping.Store{Root: dir}, nil
}

// MappingFor returns the mapping of a source, which must exist, and of a remote that lies neither inside the source nor around it.
func (r *Resolver) MappingFor(src string, t *Target) (*mapping.Mapping, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	source, err := mapping.FindSource(src)
	if err != nil {
		return nil, err
	}
	states, err := r.States()
	if err != nil {
		return nil, err
	}
	if err := r.StartRclone(); err != nil {
		return nil, err
	}
	m, err := states.At(source, t.Remote)
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
		return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: mapping.RemoteHint}
	}
	return nil, &exit.Failure{Status: exit.StatusUsage, Err: err, Hint: "choose a remote that is neither inside the source nor around it"}
}

// A mapping has up to four places: source, remote, state and backup directory. None of them may be where a run takes it for
// something to mirror or to delete.

// CheckPlaces refuses a state or a backup directory that a run would damage. It makes nothing.
func (r *Resolver) CheckPlaces(m *mapping.Mapping, f *SyncFlags) error {
	if rclone.Overlaps(m.Dir, m.Remote) != nil { // that the remote is known has been seen
		return exit.Usage("keep the state elsewhere with --state-dir, or choose another remote: what the source does not hold is deleted there",
			"the state directory %s is inside the remote %s", text.Path(m.Dir), m.Display)
	}
	return checkBackupDir(m, f.BackupDir)
}

// StateOutside refuses a state directory that would be mirrored: each run would change it and so
// find something to do, for ever.
func (r *Resolver) StateOutside(source string, filter snapshot.Filter) error {
	states, err := r.States()
	if err != nil {
		return err
	}
	rel, inside := mapping.Within(source, states.Root)
	if !inside || rel != "" && filter != nil && !filter.Dir(rel) {
		return nil
	}
	return exit.Usage(fmt.Sprintf("add --exclude '/%s/**', or keep the state elsewhere with --state-dir", rel),
		"the state directory %s is inside the source", text.Path(states.Root))
}

// checkBackupDir has rclone's rules: the same remote, as files are moved there without being sent,
// and apart from both sides.
func checkBackupDir(m *mapping.Mapping, dir string) error {
	if dir == "" {
		return nil
	}
	const hint = "choose a directory of the same remote that is neither inside the source or the remote nor around them"
	at, display, err := mapping.Locate(dir)
	if err != nil {
		return &exit.Failure{Status: exit.StatusUsage, Err: fmt.Errorf("--backup-dir: %w", err), Hint: hint}
	}
	target, _, err := mapping.Locate(m.Remote)
	if err != nil {
		return err
	}
	if at.Remote != target.Remote {
		return exit.Usage(hint, "--backup-dir %s is not on the same remote as %s", display, m.Display)
	}
	if err := rclone.Overlaps(m.Source, dir); errors.Is(err, remote.ErrFatal) {
		return fmt.Errorf("--backup-dir: %w", err)
	} else if err != nil {
		return exit.Usage(hint, "--backup-dir %s and the source %s overlap", display, text.Path(m.Source))
	}
	if at.Overlaps(target) || at.Remote == "" && rclone.Overlaps(at.Path, m.Remote) != nil {
		return exit.Usage(hint, "--backup-dir %s and the remote %s overlap", display, m.Display)
	}
	return nil
}

// describe gives m the name that s has in the config file, if it has one.
func (r *Resolver) describe(m *mapping.Mapping, s *Spec) {
	if s.Name == "" {
		return
	}
	m.Name, m.Handle = s.Name, "-m "+text.ShellWord(s.Name)
	if r.Mappings != "" {
		m.Handle = "--mappings " + text.ShellWord(r.Mappings) + " " + m.Handle
	}
}
