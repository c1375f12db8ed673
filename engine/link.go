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

// link is the remote, as one run knows it.
type link struct {
	*Engine
	memory

	caps    remote.Caps // of the remote, less what is refused
	refused remote.Caps // what the remote turned out not to do in this run although it says that it can
	// asked says that this run found out which names are one to the remote: those that are in names. guessed says that it
	// got no answer.
	asked, guessed bool
	names          remote.Caps
	// relocated says that the remote is not in the directory that it was in before, otherDisk that it is not on the
	// same disk either: see checkPlaces.
	relocated, otherDisk bool
}

// learnCaps makes l.caps those of the remote, without opening it if an earlier run wrote them down:
// so a plan can be made, and kept, while the remote is away. What was written down with other options
// is better than nothing.
func (l *link) learnCaps(ctx context.Context) error {
	if l.conn != nil {
		l.caps = l.remoteCaps()
		return nil
	}
	if l.state.Caps == "" {
		return l.connect(ctx)
	}
	known, err := l.knownCaps()
	if err != nil {
		return err
	}
	if known.Options != l.cfg.Options {
		if err := l.connect(ctx); !errors.Is(err, remote.ErrOffline) {
			return err
		}
	}
	l.caps = less(known.Caps, l.refused)
	return nil
}

// connect opens the remote unless it is open, and makes sure that it is where it was.
func (l *link) connect(ctx context.Context) error {
	if l.conn == nil {
		conn, err := l.cfg.Connect(ctx, l.cfg.Journal)
		if err != nil {
			return err
		}
		l.conn = conn
		l.caps = l.remoteCaps()
	}
	return l.checkPlaces()
}

// less returns what is left of caps without what is refused.
func less(caps, refused remote.Caps) remote.Caps {
	caps.Move = caps.Move && !refused.Move
	caps.DirMove = caps.DirMove && !refused.DirMove
	caps.Copy = caps.Copy && !refused.Copy
	caps.SetMetadata = caps.SetMetadata && !refused.SetMetadata
	return caps
}

// isForeign reports whether what is listed at path was never sent from here. Of a remote that was listed before, the base knows.
func (l *link) isForeign(path string) (bool, error) {
	if !l.state.Adopted {
		return true, nil
	}
	was, err := l.cfg.Journal.Lookup(path)
	return was != nil && was.Flags.Has(snapshot.Foreign), err
}

// adopt builds the base from one listing of the remote. It runs once in the life of a mapping, or
// again when its journal was lost: what another tool or an earlier life has put there is compared by
// the next scan, and not sent again.
//
// A crash in the middle leaves no base at all, and the next run lists again. A listing that fails in
// the middle leaves none either: a partial listing would make files look absent.
func (l *link) adopt(ctx context.Context) error {
	if err := l.connect(ctx); err != nil {
		return err
	}
	l.phase("listing the remote")
	err := l.cfg.Journal.Adopt(ctx, func(add func(path string, entry snapshot.Entry) error) error {
		return l.conn.List(ctx, func(there remote.Object) error {
			entry := there.Adopted(&l.caps)
			foreign, err := l.isForeign(there.Path)
			if foreign {
				entry.Flags |= snapshot.Foreign
			}
			return errors.Join(err, add(there.Path, entry))
		})
	})
	if err != nil {
		return fmt.Errorf("adopt what the remote holds: %w", err)
	}
	l.state.Adopted = true
	return nil
}

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
	report, err := l.verify(ctx, VerifyOptions{Repair: true, unasked: true})
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

// A local disk acknowledges a file long before it would survive a power cut, and to flush each one
// would cost more than to write it. So what was executed is flushed once, at the end, and until then
// the journal says in which boot of the machine it happened. A run that finds another boot there
// believes the disk rather than the base, with one listing.

// Flush makes what was executed survive a power cut of this machine, if some of it does not yet.
func (e *Engine) Flush(ctx context.Context) error {
	r, err := e.newRun()
	if err != nil || e.conn == nil {
		return err
	}
	return errors.Join(r.flush(ctx), r.save())
}

// flush has the remote flushed, and then the journal is not to name the boot any more. A crash between the two flushes again.
func (l *link) flush(ctx context.Context) error {
	if l.state.Unflushed == "" || ctx.Err() != nil {
		return nil // the next run flushes
	}
	if err := l.conn.Flush(ctx); err != nil {
		return err
	}
	l.state.Unflushed = ""
	return nil
}

// recheck compares the remote with the base if the machine went down before a flush, and corrects
// the base. Files that were cut off differ in size, and are sent again.
func (l *link) recheck(ctx context.Context) error {
	if l.state.Unflushed == "" || l.state.Unflushed == l.cfg.Boot || l.cfg.Boot == "" {
		return nil
	}
	l.cfg.Log.Warn("the machine went down before everything was on the disk: comparing the remote with what it should hold")
	report, err := l.verify(ctx, VerifyOptions{Repair: true, refuseEmpty: !l.decided.NewRemoteApproved})
	if err != nil {
		return err
	}
	l.cfg.Log.Info("compared", "files", report.Checked, "corrected", report.Repaired)
	return errors.Join(l.flush(ctx), l.save())
}
