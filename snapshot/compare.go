package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// distrusted are the flags of a base entry whose stat proves nothing about the content.
const distrusted = Racy | Retained | Adopted

// present compares what the i-th name is now with what the base says; old is nil if it says nothing.
func (w *worker) present(i int, name []byte, old *Entry) {
	e := &w.seen
	if err := w.dir.stat(i, e); err != nil {
		w.unseen(name, old, err)
		return
	}
	linked := e.Kind == Symlink && w.cfg.Links == FollowLinks
	if linked {
		link := *e
		if err := w.dir.follow(i, e); err != nil {
			w.unfollowed(name, &link, old, err)
			return
		}
	}
	switch {
	case e.Kind == Dir:
		w.presentDir(name, old, linked)
	case w.excluded(name, e):
		w.found.stats.Excluded++
	case e.Kind == Symlink && w.cfg.Links == SkipLinks:
		w.found.stats.Symlinks++
		w.occupied(name, old, "a symbolic link, which is skipped, is in its place")
	case e.Kind == 0:
		w.found.stats.Special++
		w.occupied(name, old, "a socket, fifo or device, which is skipped, is in its place")
	default:
		w.presentFile(name, old)
	}
}

// presentFile is about a file, or a symbolic link that is kept.
func (w *worker) presentFile(name []byte, old *Entry) {
	e := &w.seen
	if old != nil && old.Kind == Dir && !w.replaceDir(name, old) {
		return
	}
	w.found.stats.Files++
	w.found.stats.Bytes += e.Size
	if old != nil && old.Flags&distrusted == 0 && !w.cfg.Checksum && old.SameStat(e) && old.Mode == e.Mode {
		return
	}
	if racy(e, w.observed) {
		e.Flags |= Racy
	}
	w.found.change(w.job.path, name, old, e)
}

// replaceDir is about a file where the base has a directory: everything beneath is absent. It returns
// false if the file must not take the place, because a file system used to be mounted there.
func (w *worker) replaceDir(name []byte, old *Entry) bool {
	path := w.path(name)
	if d := w.found.mounts.absent(path, false, w.unproven); d != nil {
		w.found.problem(path, errors.New("a file is where a file system was mounted"))
		w.lead(job{path: path, gone: true, unproven: d})
		return false
	}
	if !w.excluded(name, old) {
		w.lead(job{path: path, gone: true, replaced: true, unproven: w.unproven})
	}
	return true
}

// presentDir leads to a directory. Whether itself is a change is decided here, but reported only
// after a look inside: it may hold a marker, or not be readable.
func (w *worker) presentDir(name []byte, old *Entry, linked bool) {
	e := &w.seen
	path := w.path(name)
	switch {
	case w.cfg.Filter != nil && !w.cfg.Filter.Dir(path):
		w.found.stats.Excluded++
		return
	case w.cfg.OneFileSystem && e.Dev != w.opened.dev:
		return
	}
	j := job{path: path, dev: e.Dev, ino: e.Ino, outside: w.opened.dev, unproven: w.unproven}
	if w.cfg.Links == FollowLinks {
		j.trail = &trail{w.opened.dev, w.opened.ino, w.job.trail}
		if linked && j.trail.leadsBack(e.Dev, e.Ino) {
			w.unfollowed(name, e, old, errors.New("it leads back to a directory above it"))
			return
		}
	}
	if old == nil || old.Flags&(Retained|Adopted) != 0 || !old.SameStat(e) {
		j.self = w.found.prepare(path, old, e)
	}
	if w.job.within != nil && old != nil && old.Kind == Dir {
		w.narrow(&j)
	}
	w.lead(j)
}

// narrow makes j, about a directory that the base has as one, lead only to what is within.
func (w *worker) narrow(j *job) {
	within := w.job.within.at(j.path)
	switch {
	case len(within) == 0: // asked for in other letters
		j.within = within
	case within[0].Path != j.path:
		j.within, j.onTheWay, j.self = within, true, nil
	case !within[0].Deep:
		j.within = within[1:]
	}
}

// unseen is about a name whose stat failed. If it is gone, the next listing will prove that.
func (w *worker) unseen(name []byte, old *Entry, err error) {
	path := w.path(name)
	if errors.Is(err, fs.ErrNotExist) {
		w.passOver(path, "removed during the scan")
		return
	}
	w.unread(name, old, reasonOf(err), fmt.Errorf("stat: %w", err))
}

// unfollowed is about a symbolic link that leads nowhere, or to where one must not go.
func (w *worker) unfollowed(name []byte, link, old *Entry, err error) {
	if w.excluded(name, link) {
		w.found.stats.Excluded++
		return
	}
	w.unread(name, old, "the symbolic link cannot be followed", fmt.Errorf("follow link: %w", err))
}

// unread is about a path that holds something, and nobody can say what.
func (w *worker) unread(name []byte, old *Entry, reason string, err error) {
	w.found.problem(w.path(name), err)
	if d := w.occupied(name, old, reason); d != nil {
		d.unread = true
	}
}

// occupied is about a path that holds something which is not looked at. It is not absent: a user who
// moves a directory elsewhere and leaves a link behind did not ask for the remote's copy to be
// deleted. So what the base has at the path, and beneath it, stays.
func (w *worker) occupied(name []byte, old *Entry, reason string) *unproven {
	if old == nil || w.excluded(name, old) || old.Kind != Dir && w.retained(old) {
		return nil
	}
	path := w.path(name)
	d := w.found.newUnproven(path, reason, w.unproven)
	if old.Kind == Dir {
		w.lead(job{path: path, gone: true, unproven: d, within: w.covered(path)})
	} else {
		d.keep()
	}
	return d
}

// unlisted is about an entry of the base that is not among the n names that were listed.
func (w *worker) unlisted(name []byte, old *Entry, n int) {
	if w.excluded(name, old) {
		return
	}
	if w.unproven == nil && (old.Kind == Dir || !w.retained(old)) {
		switch err := w.proveAbsent(name, n); err {
		case nil:
		case errReappeared:
			w.passOver(w.path(name), err.Error())
			return
		default:
			w.unread(name, old, reasonOf(err), fmt.Errorf("stat: %w", err))
			return
		}
	}
	w.missing(name, old)
}

var errReappeared = errors.New("appeared during the scan")

// proveAbsent asks for the name once more. A listing during which names are added, removed and
// renamed may leave out one that was there all the time; a delete needs better proof. Where case
// does not count, a listed name that differs in case alone is what answers, and proves nothing.
func (w *worker) proveAbsent(name []byte, n int) error {
	err := w.dir.lookup(name)
	switch {
	case err == nil:
		for i := range n {
			if bytes.EqualFold(w.dir.name(i), name) {
				return nil
			}
		}
		return errReappeared
	case disproves(err):
		return nil
	}
	return err
}

// missing is about an entry of the base that is not on disk, as far as anyone could look, and that
// the filter does not exclude.
func (w *worker) missing(name []byte, old *Entry) {
	isDir, beneath := old.Kind == Dir, w.unproven
	if isDir && beneath == nil {
		beneath = w.found.mounts.absent(w.path(name), false, nil)
	}
	switch {
	case w.retained(old):
	case beneath == nil:
		w.found.change(w.job.path, name, old, nil)
	case !isDir:
		beneath.keep()
	}
	if isDir {
		j := job{path: w.path(name), gone: true, replaced: w.job.replaced, unproven: beneath}
		if w.unproven != nil {
			j.within = w.covered(j.path)
		}
		w.lead(j)
	}
}

// covered returns what is to be counted of a directory of the base of which nobody knows whether it
// still is there: all of it if a scope names it, else what is within.
func (w *worker) covered(path string) scopes {
	within := w.job.within.at(path)
	if len(within) == 0 || within[0].Path == path {
		return nil
	}
	return within
}

// retained reports whether old is what the source need not hold.
func (w *worker) retained(old *Entry) bool {
	return old.Flags.Has(Retained) && !w.cfg.Mirror && !w.job.replaced
}

// excluded reports whether the filter leaves out the name, being e.
func (w *worker) excluded(name []byte, e *Entry) bool {
	switch {
	case w.cfg.Filter == nil:
		return false
	case e.Kind == Dir:
		return !w.cfg.Filter.Dir(w.path(name))
	}
	return !w.cfg.Filter.File(w.path(name), e.Size, time.Unix(0, e.Mtime))
}

func (w *worker) lead(j job) { w.led = append(w.led, j) }

func (w *worker) path(name []byte) string { return Join(w.job.path, string(name)) }
