// Package watch turns the file-system events beneath one directory into hints: paths where something
// may have happened. It decides nothing; whoever gets a hint looks, and what is there then counts.
//
// fsnotify tells what happens to the names in one directory. That every directory of the tree has a
// watch, the right one and under its present path, is the work of this package.
//
// # How it works
//
//	cover(top):                              // watches the directories at and beneath top
//	    take away what watches there are
//	    for each directory d from top downwards, breadth first:
//	        is d, the inode, watched under another path?  it has moved: take that watch away
//	        watch d; then list it            // in this order: what is made later gives an event
//	        go on with the directories that are listed
//
//	Open:                           cover(root)
//	a name appeared or went:        is it a directory now?  cover it, hint it Deep : hint it
//	something was mounted:          cover it, hint it Deep; and so when it is unmounted
//	events were lost:               begin anew with a new queue, hint the root Deep
//	the root is another directory:  the same
//
// An event is only the reason to look at a name again. So it does no harm that it may be late, or
// tell of something that is already undone: the last event of a name comes after its last change.
//
// A directory that moves keeps its inotify watch, and the watches beneath it, and these go on telling
// of the old path. Therefore each watch has the inode in it that it was made for. A directory found under
// a path is compared with that; its old watches are taken away as soon as it is found elsewhere, even
// if the event of the move has not been read yet, because fsnotify would take the new watch for the old
// one and keep the old path.
//
// # What it guarantees
//
//   - When Open returns, every change in the tree from then on will be hinted at: its path, or a
//     directory above it with Deep. The hint comes after the change, so that looking there finds it.
//   - A directory that appears is watched first and hinted at then. What was made in it before is found
//     beneath the Deep hint, what is made later has events of its own.
//   - Lost events are never silent. When the queue overflows the root is hinted at, Deep.
//   - What cannot be watched is polled, that is, hinted at, Deep, every PollInterval: directories for which
//     the system has no watches left, network file systems, which give no events, paths that are too
//     long, directories that are mounted twice. Health counts them and says what to do about it, and
//     so does the log.
//   - The root may vanish, be unmounted, renamed or replaced, and file systems may be mounted in it and
//     unmounted: that is noticed within some seconds, hinted at, and what is there then is watched.
//   - From time to time it is proved that events still arrive (see canary). If they do not, everything
//     is set up anew, and if that does not help, polled.
//
// # What it does not do
//
//   - It does not follow symbolic links but the root itself: what is reached through one is not watched.
//   - Directories that Config.Skip excludes are not watched, nor hinted at when they appear.
//   - An unreadable directory is neither watched nor polled, but tried again, and named by Health.
//   - A directory whose content changes is not hinted at itself, although its mtime changes.
//   - Content that is changed through a memory map gives no events; nor do changes on another machine.
//   - A file system in the tree that is unmounted and mounted again within these seconds may stay
//     unwatched, and one that is mounted where there is no table of mounts (other systems than Linux).
//   - On macOS and the BSDs fsnotify opens every file of a watched directory, so that the limit of open
//     files is the limit of what is watched. On Windows a directory above a watched one cannot be
//     renamed by others, and that events arrive is not proved there.
//
// The caller's periodic scan is what these have in common as a remedy.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/snapsync/snapsync/engine/hint"
)

// Config says what to watch. Root is required.
type Config struct {
	Root string // the directory, absolute; it may be a symbolic link to one
	// Skip reports whether a directory is excluded, given its path relative to Root, with slashes. It
	// is asked when the directory is found, never for the root, and from several goroutines at once.
	// nil: none is.
	Skip          func(dir string) bool
	OneFileSystem bool // other file systems that are mounted beneath Root are excluded
	// PollInterval is the time between two hints at what cannot be watched, give or take a fifth;
	// longer if there is so much of it that it would be a storm. 0: 30 s.
	PollInterval time.Duration
	// CanaryInterval is the time between two proofs that events arrive. An event that arrives anyway is
	// proof enough; otherwise the root gets a new ctime, and the disk something to write. 0: 10 minutes.
	CanaryInterval time.Duration
	Limit          int // at most so many watches; 0: as many as the system gives
	Log            *slog.Logger
}

const (
	defaultPoll   = 30 * time.Second
	defaultCanary = 10 * time.Minute
	// breath is how long the watcher waits after a batch of hints. What happens in that time is put
	// together: a file that is written to without end gives some hundred hints a second, not 100,000.
	breath = 2 * time.Millisecond
	// rootRetry is the time between two looks for a root that is gone.
	rootRetry = time.Second
	// overflowRest is how long lost events are let go on being lost before everything is looked at.
	overflowRest = 200 * time.Millisecond
	// batchTime is how long one batch may take before its hints are given.
	batchTime = 20 * time.Millisecond
)

// Watcher is an open watch. Its parts are owned by Open until that returns, then by run; what Health reads of them has
// locks of its own, which are never held while hint or Skip is called.
type Watcher struct {
	cfg  Config
	root *root
	now  func() time.Time
	stop context.CancelFunc
	done chan struct{}

	dirs     coverage
	queue    *queue
	batch    batch
	canary   canary
	poller   poller
	glance   *time.Timer     // at the root and the mounts
	glances  []time.Duration // what the last ones took
	recovery recovery
}

// Open watches the tree beneath cfg.Root and calls hint for what happens in it, until the Watcher is
// closed or ctx is done; it must be closed in both cases. Open returns once everything is watched; it
// fails only if the root is no directory that can be read, or if ctx is done.
//
// hint is never called concurrently, never before Open is about to return, and never after Close. It
// must return quickly and must not call Close; it may call Health.
func Open(ctx context.Context, cfg Config, hint func(hint.Hint)) (*Watcher, error) {
	if !filepath.IsAbs(cfg.Root) {
		return nil, fmt.Errorf("watch %s: not an absolute path", cfg.Root)
	}
	w := newWatcher(cfg, hint)
	ctx, w.stop = context.WithCancel(ctx)
	if err := w.begin(ctx); err != nil {
		w.end()
		w.stop()
		return nil, fmt.Errorf("watch %s: %w", cfg.Root, err)
	}
	go func() {
		defer close(w.done)
		defer w.end()
		w.run(ctx)
	}()
	return w, nil
}

func newWatcher(cfg Config, hint func(hint.Hint)) *Watcher {
	if cfg.PollInterval <= 0 {
		cfg.PollInterval = defaultPoll
	}
	if cfg.CanaryInterval <= 0 {
		cfg.CanaryInterval = defaultCanary
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	path, separator := filepath.Clean(cfg.Root), string(filepath.Separator)
	r := &root{path: path, prefix: strings.TrimSuffix(path, separator) + separator, skip: cfg.Skip}
	return &Watcher{
		cfg:  cfg,
		root: r,
		now:  time.Now,
		done: make(chan struct{}),
		dirs: coverage{
			root: r, oneFileSystem: cfg.OneFileSystem, limit: cfg.Limit, tree: newTree(),
			listers: make([]lister, min(max(2, runtime.GOMAXPROCS(0)), 8)),
		},
		queue:    newQueue(),
		batch:    batch{give: hint, index: make(map[string]int)},
		canary:   canary{root: r.path, interval: cfg.CanaryInterval, log: cfg.Log, timer: stopped()},
		poller:   poller{interval: cfg.PollInterval, timer: stopped()},
		glance:   stopped(),
		glances:  make([]time.Duration, 3),
		recovery: recovery{timer: stopped(), root: stopped()},
	}
}

// Close ends the watch and gives back all that it took from the system. No hint comes afterwards. It
// may be called more than once.
func (w *Watcher) Close() error {
	w.stop()
	<-w.done
	return nil
}

// begin watches the whole tree with a notifier of its own.
func (w *Watcher) begin(ctx context.Context) error {
	mounts := readMounts(w.root.path, w.cfg.Log)
	id, err := w.root.identity()
	if err != nil {
		return err
	}
	w.root.id = id
	n, err := fsnotify.NewWatcher()
	switch {
	case errors.Is(err, errTooManyFiles), errors.Is(err, errFilesExhausted):
		// No more instances: everything will be polled.
		w.cfg.Log.Warn("no watcher is to be had: the source is polled", "root", w.root.path, "error", err)
	case err != nil:
		return err
	default:
		w.queue = newQueue()
		go w.queue.pump(n)
	}
	w.dirs.begin(n, mounts)
	w.dirs.cover(ctx, w.root.path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch w.dirs.stateAt(w.root.path) {
	case unseen:
		return errRootGone
	case unreadable:
		return errRootUnreadable
	}
	w.recovery.setLost(nil)
	w.complain()
	return nil
}

var (
	errRootGone       = errors.New("the directory is gone")
	errRootUnreadable = errors.New("the directory cannot be read: give this user permission")
)

// closePatience is how long a notifier may take to close; one that hangs is abandoned.
const closePatience = 2 * time.Second

// end closes the notifier, whose events are not heard any more.
func (w *Watcher) end() {
	n := w.dirs.end()
	if n == nil {
		return
	}
	closed, pumped := make(chan struct{}), w.queue.done
	go func() {
		defer close(closed)
		_ = n.Close() // it is gone afterwards in any case
		<-pumped
	}()
	select {
	case <-closed:
	case <-time.After(closePatience):
		w.cfg.Log.Error("the watcher does not close: abandoned", "root", w.root.path)
	}
}

// Health returns how the watch stands now. It may be called at any time, and from any goroutine.
func (w *Watcher) Health() hint.Health {
	h := w.dirs.health(w.cfg.PollInterval)
	w.recovery.mu.Lock()
	lost := w.recovery.lost
	h.Overflows = w.recovery.overflows
	w.recovery.mu.Unlock()
	var problems []string
	h.Proved, problems = w.canary.health(lost == nil, w.cfg.PollInterval)
	if lost != nil {
		problems = slices.Insert(problems, 0,
			fmt.Sprintf("%s is not watched: %v: mount it or bring it back; it is looked for every %s", w.root.path, lost, rootRetry))
	}
	h.Problems = append(problems, h.Problems...)
	return h
}

// complain writes to the log what there is to say when directories turn up that cannot be watched, and
// none was there before for that reason.
func (w *Watcher) complain() {
	if !w.dirs.worse() {
		return
	}
	for _, problem := range w.Health().Problems {
		w.cfg.Log.Warn("not everything can be watched", "problem", problem)
	}
}
