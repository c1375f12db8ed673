package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
)

// distrusted are the flags of a base entry whose stat proves nothing about the content.
const distrusted = Racy | Retained | Adopted

// present compares what the i-th name is now with what the base says; old is nil if it says nothing.
func (w *worker) present(i int, name []byte, old *Entry) {
	e := &w.seen
	if err := w.dir.stat(i, e); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			w.passOver(w.path(name), "removed during the scan") // the next listing will prove that
		} else {
			w.unread(name, old, reasonOf(err), fmt.Errorf("stat: %w", err))
		}
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
		w.covered(name, old, "a symbolic link, which is skipped, is in its place")
	case e.Kind == 0:
		w.found.stats.Special++
		w.covered(name, old, "a socket, fifo or device, which is skipped, is in its place")
	default:
		w.presentFile(name, old)
	}
}

// presentFile compares a file, or a symbolic link that is kept.
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

// replaceDir has everything beneath a directory of the base reported as absent: a file took its place. The result is
// false if the file must not, because a file system used to be mounted there.
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

// presentDir leads to a directory. A change of the directory itself is reported only after a look inside, which may
// find a marker, or fail.
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
		self := w.found.copied(path, old, e)
		j.self = &self
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

// unfollowed passes over a symbolic link that leads nowhere, or to where one must not go.
func (w *worker) unfollowed(name []byte, link, old *Entry, err error) {
	if w.excluded(name, link) {
		w.found.stats.Excluded++
		return
	}
	w.unread(name, old, "the symbolic link cannot be followed", fmt.Errorf("follow link: %w", err))
}

// unread reports a path that holds something, and nobody can say what. What the base has there, and beneath, is kept.
func (w *worker) unread(name []byte, old *Entry, reason string, err error) {
	path := w.path(name)
	w.found.problem(path, err)
	if old == nil || w.excluded(name, old) || old.Kind != Dir && w.retained(old) {
		return
	}
	if d := w.found.newUnproven(path, reason, w.unproven); old.Kind == Dir {
		w.lead(job{path: path, gone: true, unproven: d, within: w.asked(path)})
	} else {
		d.keep()
	}
}

// covered reports as absent what the base has at and beneath a path that holds something which is skipped, and why. It may
// have moved: but a user who leaves a link behind did not ask for what has not to be deleted.
func (w *worker) covered(name []byte, old *Entry, reason string) {
	if old != nil && !w.excluded(name, old) {
		w.found.covered = append(w.found.covered, Covered{w.path(name), reason})
		w.missing(name, old)
	}
}

// unlisted looks for an entry of the base that is not among the n names that were listed.
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

// missing reports an entry of the base that is not on disk, as far as anyone could look, and that the filter does not
// exclude.
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
			j.within = w.asked(j.path)
		}
		w.lead(j)
	}
}

// asked returns the scopes to count in a directory of the base that nobody could look into: nil, which is
// everything, if a scope names the directory, else what is within.
func (w *worker) asked(path string) scopes {
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
	from, until := e.Modified()
	path := w.path(name)
	return !w.cfg.Filter.File(path, e.Size, from) || from != until && !w.cfg.Filter.File(path, e.Size, until)
}

func (w *worker) lead(j job) { w.led = append(w.led, j) }

func (w *worker) path(name []byte) string { return Join(w.job.path, string(name)) }
