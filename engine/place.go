package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// A remote on a disk of this machine can be unmounted, and what is then written to its path fills
// another disk while the base says that it is on this one. A bucket can be removed, and another be made
// in its place. So the journal remembers where the remote was.
//
//	its disk is not mounted, or another    ErrOffline: it is waited for, and nothing is done
//	one without the directory is, or the
//	bucket is gone
//	the directory was removed, made        what the base says of it is compared with one listing and
//	again or restored, or another disk     corrected; the run goes on from there
//	with it is mounted

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

// moved compares a place with what it was. moved: it is not the same directory, so that what it holds
// has to be looked at. err: it is not there at all.
func (p Place) moved(was Place) (moved bool, err error) {
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

// places reads what the journal says of them.
func places(state *journal.State) (all []Place, err error) {
	if state.Places == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(state.Places), &all); err != nil {
		return nil, fmt.Errorf("read the remote's places in the journal: %w", err)
	}
	return all, nil
}

// checkPlaces compares where the remote is with where it was. It fails if that is not there, and
// otherwise sets e.relocated and e.otherDisk.
func (e *Engine) checkPlaces() error {
	e.relocated, e.otherDisk = false, false
	now, err := e.conn.Places()
	e.at = now
	if err != nil || len(now) == 0 {
		return err
	}
	state, err := e.cfg.Journal.State()
	if err != nil {
		return err
	}
	was, err := places(&state)
	if err != nil {
		return err
	}
	totals, err := e.cfg.Journal.Totals()
	if err != nil || totals == (journal.Totals{}) { // nothing is there that could be missed
		return err
	}
	e.relocated = state.NewRemoteApproved
	for _, p := range now {
		i := slices.IndexFunc(was, func(o Place) bool { return o.Path == p.Path })
		if i < 0 {
			continue
		}
		moved, err := p.moved(was[i])
		if err != nil && !state.NewRemoteApproved {
			return errors.Join(fmt.Errorf("%w: %w", ErrOffline, err), e.distrustPlace(was, i))
		}
		e.relocated = e.relocated || moved
		e.otherDisk = e.otherDisk || p.FSID != was[i].FSID && !state.NewRemoteApproved
	}
	return nil
}

// distrustPlace has a bucket that is gone compared once it is there again: somebody made it anew.
func (e *Engine) distrustPlace(was []Place, i int) error {
	if was[i].Mount != "" || was[i].Root == (snapshot.Identity{}) {
		return nil
	}
	was[i].Root = snapshot.Identity{}
	text, err := json.Marshal(was)
	if err != nil {
		return fmt.Errorf("encode the remote's places: %w", err)
	}
	return e.cfg.Journal.Update(func(s *journal.State) { s.Places = string(text) })
}

// compareMoved corrects the base by what is in the place where the remote is now.
func (e *Engine) compareMoved(ctx context.Context) error {
	e.cfg.Log.Warn("the remote's directory is not the one that it was: comparing what it holds with what it should hold")
	report, err := e.Verify(ctx, VerifyOptions{Repair: true})
	if err != nil {
		return err
	}
	e.cfg.Log.Info("compared", "files", report.Checked, "corrected", report.Repaired)
	if report.Repaired > 0 {
		e.suspect("") // what is missing may be anywhere, and nobody hinted at it
	}
	return nil
}

// notePlaces writes down where the remote is. What was sent while it went away went elsewhere: then the
// place is noted without the identity of its directory, so that it is compared once it is back.
func (e *Engine) notePlaces() error {
	was := e.at
	now, err := e.conn.Places()
	if err != nil || len(now) == 0 {
		return err
	}
	for i := range now {
		if i >= len(was) || was[i].Path != now[i].Path {
			continue
		}
		if moved, err := now[i].moved(was[i]); was[i].There && (moved || err != nil) {
			now[i] = was[i]
			now[i].Root = snapshot.Identity{}
		}
	}
	text, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("encode the remote's places: %w", err)
	}
	return e.cfg.Journal.Update(func(s *journal.State) { s.Places, s.NewRemoteApproved = string(text), false })
}
