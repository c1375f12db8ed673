package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// A remote on a disk of this machine can be unmounted, and what is then written to its path fills
// another disk while the base says that it is on this one. A bucket can be removed, and another be made
// in its place. So the journal remembers where the remote was.
//
//	its disk is not mounted, or another    remote.ErrOffline: it is waited for, and nothing is done
//	one without the directory is, or the
//	bucket is gone
//	the directory was removed, made        what the base says of it is compared with one listing and
//	again or restored, or another disk     corrected; the run goes on from there
//	with it is mounted

// checkPlaces compares where the remote is with where it was. It fails if that is not there, and
// otherwise sets r.relocated and r.otherDisk.
func (l *link) checkPlaces() error {
	l.relocated, l.otherDisk = false, false
	now, err := l.conn.Places()
	l.at = now
	if err != nil || len(now) == 0 {
		return err
	}
	was, err := l.places()
	if err != nil {
		return err
	}
	totals, err := l.cfg.Journal.Totals()
	if err != nil || totals == (journal.Totals{}) { // nothing is there that could be missed
		return err
	}
	l.relocated = l.decided.NewRemoteApproved
	for _, p := range now {
		i := slices.IndexFunc(was, func(o remote.Place) bool { return o.Path == p.Path })
		if i < 0 {
			continue
		}
		moved, err := p.Moved(was[i])
		if err != nil && !l.decided.NewRemoteApproved {
			return errors.Join(fmt.Errorf("%w: %w", remote.ErrOffline, err), l.distrustPlace(was, i))
		}
		l.relocated = l.relocated || moved
		l.otherDisk = l.otherDisk || p.FSID != was[i].FSID && !l.decided.NewRemoteApproved
	}
	return nil
}

// isElsewhere reports whether the directories of this machine that the remote is kept in are not what they were. Of a remote
// elsewhere only a connection tells.
func (l *link) isElsewhere() bool {
	if l.conn != nil {
		err := l.checkPlaces()
		return err != nil || l.relocated
	}
	was, err := l.places()
	if err != nil {
		return true
	}
	for _, p := range was {
		if !filepath.IsAbs(p.Path) {
			continue
		}
		now, err := remote.FindPlace(p.Path)
		if err != nil {
			return true
		}
		if moved, err := now.Moved(p); moved || err != nil {
			return true
		}
	}
	return false
}

// distrustPlace has a bucket that is gone compared once it is there again: somebody made it anew.
func (l *link) distrustPlace(was []remote.Place, i int) error {
	if was[i].Mount != "" || was[i].Root == (snapshot.Identity{}) {
		return nil
	}
	was[i].Root = snapshot.Identity{}
	if err := l.takePlaces(was); err != nil {
		return err
	}
	return l.save()
}

// compareMoved corrects the base by what is in the place where the remote is now.
func (l *link) compareMoved(ctx context.Context) error {
	l.cfg.Log.Warn("the remote's directory is not the one that it was: comparing what it holds with what it should hold")
	report, err := l.verify(ctx, VerifyOptions{Repair: true})
	if err != nil {
		return err
	}
	l.cfg.Log.Info("compared", "files", report.Checked, "corrected", report.Repaired)
	if report.Repaired > 0 {
		l.rescan = append(l.rescan, "") // what is missing may be anywhere, and nobody hinted at it
	}
	return nil
}

// takePlace takes in where the remote is. What was sent while it went away went elsewhere: then the
// place is noted without the identity of its directory, so that it is compared once it is back.
func (l *link) takePlace() error {
	was := l.at
	now, err := l.conn.Places()
	if err != nil || len(now) == 0 {
		return err
	}
	for i := range now {
		if i >= len(was) || was[i].Path != now[i].Path {
			continue
		}
		if moved, err := now[i].Moved(was[i]); was[i].There && (moved || err != nil) {
			now[i] = was[i]
			now[i].Root = snapshot.Identity{}
		}
	}
	if err := l.takePlaces(now); err != nil {
		return err
	}
	l.use(journal.Decisions{NewRemoteApproved: l.decided.NewRemoteApproved})
	return nil
}
