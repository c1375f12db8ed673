package settings

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/adrg/xdg"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/engine/remote"
)

// States is the state directory that is meant.
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

// MappingFor is the mapping that `run` and `plan` are told: a source that exists and a remote that
// lies neither inside it nor around it.
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
