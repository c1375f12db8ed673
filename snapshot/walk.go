package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// worker looks at one directory at a time.
type worker struct {
	cfg     *Config
	markers []string // of the filter, sorted
	dir     directory
	base    BaseReader
	found   findings

	// Of the directory that is being looked at:
	job      job
	opened   opened
	unproven *unproven // job.unproven, or one of this directory's own
	observed time.Time
	led      []job // the directories that it leads to
	seen     Entry // what the name under comparison is now
}

func newWorker(cfg *Config, markers []string, base Base, open opener) (*worker, error) {
	dir, err := open(cfg.Root, cfg.Links == FollowLinks)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSourceGone, err)
	}
	reader, err := base.Reader()
	if err != nil {
		dir.close()
		return nil, fmt.Errorf("open base: %w", err)
	}
	w := &worker{cfg: cfg, markers: markers, dir: dir, base: reader}
	w.found.mounts.expected, w.found.mounts.any = cfg.Mounts, cfg.AnyMount
	return w, nil
}

// look compares the directory of one job and returns the jobs that it leads to, which are valid until the next call.
func (w *worker) look(j job) ([]job, error) {
	w.job, w.unproven, w.led = j, j.unproven, w.led[:0]
	visit := w.visit
	if j.gone {
		visit = w.absent
	}
	err := visit()
	return w.led, err
}

// visit compares one directory on disk with the same one in the base.
func (w *worker) visit() error {
	o, err := w.dir.open(w.job.path)
	if err != nil {
		return w.unopened(err)
	}
	w.opened = o
	if w.job.path != "" && !o.mount && (o.dev != w.job.dev || o.ino != w.job.ino) {
		// Its path was made to lead elsewhere since its parent was read: what would be found there
		// belongs to another directory, or lies under a mount that has just gone. The next scan decides.
		w.passOver(w.job.path, "replaced during the scan")
		return nil
	}
	// Before the listing, and so before every stat: the safe side, see racy.
	w.observed = w.cfg.Now()
	n, marked, err := w.list()
	switch {
	case vanished(err) && n == 0 && w.job.path != "":
		w.passOver(w.job.path, "removed during the scan")
		return nil
	case marked:
		w.found.stats.Excluded++
		return nil
	}
	if derr := w.checkMount(); derr != nil {
		return derr
	}
	if err != nil {
		// The names that did come are there; what is missing from them may be there as well.
		w.found.problem(w.job.path, fmt.Errorf("list directory: %w", err))
		w.unproven = w.found.newUnproven(w.job.path, reasonOf(err), w.unproven)
	} else {
		w.reportSelf()
	}
	if w.job.within != nil {
		return w.mergeNamed(n)
	}
	return w.merge(n)
}

// list finds the names of the open directory, all or those within, and whether a marker is among all.
func (w *worker) list() (n int, marked bool, err error) {
	if w.job.within == nil {
		n, err = w.dir.list()
		return n, w.marked(n), err
	}
	if len(w.markers) > 0 {
		// An error comes again, from the second pick.
		n, _ = w.dir.pick(w.markers)
		marked = w.marked(n)
	}
	if names := w.job.within.names(w.job.path); len(names) > 0 {
		n, err = w.dir.pick(names)
		return n, marked, err
	}
	return 0, marked, nil
}

// unopened reports a directory that its parent has, and that cannot be opened.
func (w *worker) unopened(err error) error {
	switch {
	case w.job.path == "":
		return fmt.Errorf("%w: %w", ErrSourceGone, err)
	case vanished(err):
		w.passOver(w.job.path, "removed during the scan")
		return nil
	}
	w.found.problem(w.job.path, fmt.Errorf("open directory: %w", err))
	w.unproven = w.found.newUnproven(w.job.path, reasonOf(err), w.unproven)
	return w.absent()
}

// checkMount looks whether the open directory is a mount point, and whether it was one.
func (w *worker) checkMount() error {
	path, part := w.job.path, w.job.within != nil
	var wrong *unproven
	if path != "" && (w.opened.mount || w.opened.dev != w.job.outside) {
		covers := false
		if _, known := w.cfg.Mounts[path]; !known && !w.cfg.AnyMount { // a new one, which nobody approved
			var err error
			if covers, err = w.coversBase(); err != nil {
				return err
			}
		}
		wrong = w.found.mounts.present(path, w.dir.fsid(), covers, part, w.unproven)
	} else {
		wrong = w.found.mounts.absent(path, part, w.unproven)
	}
	if wrong != nil {
		w.unproven = wrong
	}
	return nil
}

// coversBase reports whether the base holds anything in this directory that a scan once saw there.
// What was adopted from the remote says nothing about mounts.
func (w *worker) coversBase() (bool, error) {
	if err := w.base.Open(w.job.path); err != nil {
		return false, w.baseError(err)
	}
	for {
		name, e, err := w.base.Next()
		if err != nil || name == nil {
			return false, w.baseError(err)
		}
		if e.Flags&(Adopted|Retained) == 0 {
			return true, nil
		}
	}
}

// reportSelf reports the directory itself, now that it turned out to belong.
func (w *worker) reportSelf() {
	if w.job.path == "" || w.job.onTheWay {
		return
	}
	w.found.stats.Dirs++
	if w.job.self != nil {
		w.found.arena.add(*w.job.self)
	}
}

// marked reports whether one of the filter's markers is among the n names.
func (w *worker) marked(n int) bool {
	for _, marker := range w.markers {
		if _, found := search(w.dir, n, marker); found {
			return true
		}
	}
	return false
}

// merge goes through the n names on disk and the children in the base side by side.
func (w *worker) merge(n int) error {
	if err := w.base.Open(w.job.path); err != nil {
		return w.baseError(err)
	}
	baseName, old, err := w.base.Next()
	for i := 0; i < n && err == nil; {
		name := w.dir.name(i)
		order := -1
		if baseName != nil {
			order = bytes.Compare(name, baseName)
		}
		switch {
		case order < 0:
			w.present(i, name, nil)
			i++
			continue
		case order == 0:
			w.present(i, name, old)
			i++
		default:
			w.unlisted(baseName, old, n)
		}
		baseName, old, err = w.base.Next()
	}
	for err == nil && baseName != nil {
		w.unlisted(baseName, old, n)
		baseName, old, err = w.base.Next()
	}
	return w.baseError(err)
}

// mergeNamed is merge for the n names that were picked, and for those within that were not.
func (w *worker) mergeNamed(n int) error {
	for i := range n {
		name := w.dir.name(i)
		old, err := w.base.Find(w.job.path, string(name))
		if err != nil {
			return w.baseError(err)
		}
		w.present(i, name, old)
	}
	return w.eachNamed(func(name []byte, old *Entry) {
		if _, found := search(w.dir, n, string(name)); !found {
			w.unlisted(name, old, n)
		}
	})
}

// eachNamed calls fn for the children in the base that lead to what is within.
func (w *worker) eachNamed(fn func(name []byte, old *Entry)) error {
	for _, name := range w.job.within.names(w.job.path) {
		old, err := w.base.Find(w.job.path, name)
		if err != nil {
			return w.baseError(err)
		}
		if old != nil {
			fn([]byte(name), old)
		}
	}
	return nil
}

// absent goes through the children in the base of a directory that is not on disk, or cannot be looked into.
func (w *worker) absent() error {
	child := func(name []byte, old *Entry) {
		if !w.excluded(name, old) {
			w.missing(name, old)
		}
	}
	if w.job.within != nil {
		return w.eachNamed(child)
	}
	if err := w.base.Open(w.job.path); err != nil {
		return w.baseError(err)
	}
	for {
		name, old, err := w.base.Next()
		if err != nil || name == nil {
			return w.baseError(err)
		}
		child(name, old)
	}
}

// baseError says where in the base err was met; nil of nil.
func (w *worker) baseError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read base of %q: %w", w.job.path, err)
}

// passOver leaves a path that changes out of this scan, without a word to the user: the next scan will see what has
// become of it.
func (w *worker) passOver(path, why string) {
	w.cfg.Log.Debug("left to the next scan", "path", path, "reason", why)
}

// reasonOf says for a person why a directory could not be read.
func reasonOf(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}
