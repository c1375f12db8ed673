package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// A mapping has up to four places: source, remote, state and backup directory. None of them may be
// where a run takes it for something to mirror or to delete. This file holds the rules but one: that
// source and remote are apart is mappingFor's.

// checkPlaces refuses a state or a backup directory that a run would damage. It makes nothing.
func (a *app) checkPlaces(m *mapping, f *syncFlags) error {
	if rclone.Overlaps(m.dir, m.open) != nil { // that the remote is known has been seen
		return exit.Usage("keep the state elsewhere with --state-dir, or choose another remote: what the source does not hold is deleted there",
			"the state directory %s is inside the remote %s", show(m.dir), m.display)
	}
	if f.BackupDir == "" {
		return nil
	}
	return checkBackupDir(m, f.BackupDir)
}

// stateOutside refuses a state directory that would be mirrored: each run would change it and so
// find something to do, for ever.
func (a *app) stateOutside(source string, filter snapshot.Filter) error {
	root, err := a.stateRoot()
	if err != nil {
		return err
	}
	rel, inside := within(source, root)
	if !inside || rel != "" && filter != nil && !filter.Dir(rel) {
		return nil
	}
	return exit.Usage(fmt.Sprintf("add --exclude '/%s/**', or keep the state elsewhere with --state-dir", rel),
		"the state directory %s is inside the source", show(root))
}

// checkBackupDir has rclone's rules: the same remote, as files are moved there without being sent,
// and apart from both sides.
func checkBackupDir(m *mapping, dir string) error {
	const hint = "choose a directory of the same remote that is neither inside the source or the remote nor around them"
	at, display, err := placeOf(dir)
	if err != nil {
		return &exit.Failure{Status: exit.StatusUsage, Err: fmt.Errorf("--backup-dir: %w", err), Hint: hint}
	}
	target, _, err := placeOf(m.open)
	if err != nil {
		return err
	}
	if at.remote != target.remote {
		return exit.Usage(hint, "--backup-dir %s is not on the same remote as %s", display, m.display)
	}
	if err := rclone.Overlaps(m.source, dir); errors.Is(err, remote.ErrFatal) {
		return fmt.Errorf("--backup-dir: %w", err)
	} else if err != nil {
		return exit.Usage(hint, "--backup-dir %s and the source %s overlap", display, show(m.source))
	}
	if at.overlaps(target) || at.remote == "" && rclone.Overlaps(at.path, m.open) != nil {
		return exit.Usage(hint, "--backup-dir %s and the remote %s overlap", display, m.display)
	}
	return nil
}

// place is a path on a remote; remote is the part of its canonical form before the path, empty for a
// local directory.
type place struct{ remote, path string }

func placeOf(remote string) (p place, display string, err error) {
	key, display, err := rclone.Canonical(remote)
	if err != nil {
		return place{}, "", err
	}
	if dir, ok := rclone.LocalPath(remote); ok {
		return place{path: dir}, display, nil
	}
	end := remoteEnd(key)
	return place{key[:end], key[end:]}, display, nil
}

// remoteEnd is where the path starts in name:path, :type:path or name,option='a:b':path.
func remoteEnd(key string) int {
	quoted := false
	for i, r := range key {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ':' && i > 0 && !quoted:
			return i + 1
		}
	}
	return len(key)
}

// overlaps reports whether one holds the other. As rclone does it takes paths with and without a
// leading slash for the same.
func (p place) overlaps(q place) bool {
	x, y := strings.Trim(p.path, "/"), strings.Trim(q.path, "/")
	return p.remote == q.remote && (x == y || x == "" || y == "" || snapshot.Beneath(x, y) || snapshot.Beneath(y, x))
}
