package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/snapsync/snapsync/snapshot"
)

// Place is a directory, or a bucket, that a remote is kept in.
type Place struct {
	Path  string            `json:"path"`  // absolute; of a bucket, its name
	Mount string            `json:"mount"` // the directory at or above Path that its disk is mounted on; "": it has none
	FSID  uint64            `json:"fsid"`  // of that file system
	There bool              `json:"there"` // Path exists
	Root  snapshot.Identity `json:"root"`  // of Path, if it does; of a bucket, anything but zero
}

// ErrNewRemote means that the disk, or the bucket, which the remote was on is not there. It comes with ErrOffline.
var ErrNewRemote = errors.New("the remote is not where it was")

// FindPlace looks at a directory, which need not exist.
func FindPlace(path string) (Place, error) {
	p := Place{Path: path}
	switch id, err := snapshot.Identify(path); {
	case err == nil:
		p.There, p.Root = true, id
	case !errors.Is(err, fs.ErrNotExist):
		return p, fmt.Errorf("look at the remote: %w", err)
	}
	at := path
	here, err := snapshot.Identify(at)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at {
		at = filepath.Dir(at)
		here, err = snapshot.Identify(at)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil // not even its drive: Mount is empty
	}
	if err != nil {
		return p, fmt.Errorf("look at the remote: %w", err)
	}
	for up := filepath.Dir(at); up != at; at, up = up, filepath.Dir(up) {
		info, err := snapshot.Identify(up)
		if err != nil || info.Dev != here.Dev {
			break
		}
	}
	p.Mount, p.FSID = at, here.FSID
	return p, nil
}

// Moved compares a place with what it was. moved: it is not the same directory, so that what it holds
// has to be looked at. err: it is not there at all.
func (p Place) Moved(was Place) (moved bool, err error) {
	switch {
	case !was.There:
		return p.There, nil
	case !p.There && was.Mount == "":
		return true, fmt.Errorf("%w: %s does not exist any more", ErrNewRemote, p.Path)
	case p.Mount != was.Mount:
		return true, fmt.Errorf("%w: %s was on the disk mounted at %s, which is not mounted", ErrNewRemote, p.Path, was.Mount)
	case !p.There && p.FSID != was.FSID:
		return true, fmt.Errorf("%w: another disk is mounted at %s, without %s", ErrNewRemote, p.Mount, p.Path)
	case !p.There:
		return true, nil
	}
	same, _ := p.Root.Same(was.Root)
	return !same, nil
}
