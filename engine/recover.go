package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/lookup"
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// recover finds out what became of steps that were started and never acknowledged, because this
// program was killed or because the remote's answer was lost. Without it the base would miss what
// they did, and a source that was edited meanwhile would never lead back to it.
//
// Of steps that overlap only the first can have been started (see package execute), so each is judged by
// itself, by what the remote now holds at its paths. A crash anywhere in here finds the same steps in
// doubt again.
func (l *link) recover(ctx context.Context) error {
	steps, err := l.stepsInDoubt()
	if err != nil || len(steps) == 0 {
		return err
	}
	if err := l.connect(ctx); err != nil {
		return err // and nothing is planned anew: what was started must not be forgotten
	}
	l.phase("recovering")
	l.cfg.Log.Info("looking at what an interrupted run may have done", "steps", len(steps))
	f := finding{link: l, executor: l.executor(&l.caps), unseen: make(map[string]bool)}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(max(l.caps.Transfers, execute.DefaultTransfers))
	for i := range steps {
		group.Go(func() error { return f.find(gctx, &steps[i]) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("look at what an interrupted run may have done: %w", err)
	}
	return f.write(ctx)
}

// stepsInDoubt returns the steps whose outcome nobody knows.
func (l *link) stepsInDoubt() ([]journal.Step, error) {
	if l.inDoubt != nil {
		return l.inDoubt, nil
	}
	claimed, err := l.cfg.Journal.Started()
	if err != nil {
		return nil, err
	}
	var started []journal.Step
	seen := pathset.NewClaims(&l.caps)
	for i := range claimed {
		if s := &claimed[i]; !seen.Overlaps(s) {
			started = append(started, *s)
			seen.Add(s)
		}
	}
	return started, nil
}

// finding collects what became of the steps in doubt.
type finding struct {
	*link
	executor execute.Config

	mu     sync.Mutex // guards what follows
	done   []journal.Done
	wrong  []journal.Refresh // what the remote holds where the base is wrong
	absent []string          // what it does not hold, with everything beneath
	relist bool              // only a listing can tell
	unseen map[string]bool   // what the remote does not let us look at
}

func (f *finding) find(ctx context.Context, s *journal.Step) error {
	there, err := f.stat(ctx, s.Path)
	if err != nil {
		return err
	}
	switch {
	case s.Action == journal.Move:
		return f.findMove(ctx, s, there)
	case s.Action == journal.Delete:
		if there == nil && !f.isUnseen(s.Path) {
			f.happened(s, nil)
		}
		return nil // else it did not happen, and changed nothing that the base knows better
	case s.Action == journal.Send && s.How == journal.Copy:
		origin, err := f.stat(ctx, s.From)
		if err != nil {
			return err
		}
		return errors.Join(f.correct(s.From, origin), f.findSend(s, there))
	case s.Action == journal.Send:
		return f.findSend(s, there)
	}
	return nil
}

// findSend tells the new content from the old one by size and mtime. Where both would fit, or where
// nothing but the size can tell, nobody knows: then it is sent again.
func (f *finding) findSend(s *journal.Step, there *remote.Object) error {
	if f.isUnseen(s.Path) {
		return f.doubt(s)
	}
	switch {
	case s.Dir && there != nil && there.Entry.Kind == snapshot.Dir:
		f.happened(s, s.New)
		return nil
	case there == nil || s.Dir || there.Entry.Kind == snapshot.Dir:
		return f.correct(s.Path, there)
	}
	isNew, isOld := agrees(&f.caps, s.New, there), s.Old != nil && mayBe(&f.caps, s.Old, there)
	switch {
	case isNew && !isOld:
		f.happened(s, s.New)
		return nil
	case isNew && isOld, !f.caps.KeepsTimes() && there.Entry.HashType == snapshot.NoHash:
		unsure := there.Adopted(&f.caps)
		unsure.Mtime, unsure.HashType, unsure.Hash = 0, snapshot.NoHash, snapshot.Hash{}
		f.learn(s.Path, &unsure)
		return nil
	}
	return f.correct(s.Path, there)
}

// doubt makes the base say that something is at the path of s, which nobody may look at, and that nothing is known of
// it: so it is sent again, or deleted once the source has nothing there. A directory that the base knows stays what it is.
func (f *finding) doubt(s *journal.Step) error {
	base, err := f.cfg.Journal.Lookup(s.Path)
	if err != nil || s.New.Kind == snapshot.Dir || base != nil && base.Kind == snapshot.Dir {
		return err
	}
	// A size that the source does not have: empty files would be the same otherwise.
	f.learn(s.Path, &snapshot.Entry{Kind: s.New.Kind, Size: s.New.Size + 1, Flags: snapshot.Adopted})
	return nil
}

// findMove takes a move for done if its origin is gone and what was to arrive is at its target.
func (f *finding) findMove(ctx context.Context, s *journal.Step, there *remote.Object) error {
	origin, err := f.stat(ctx, s.From)
	if err != nil {
		return err
	}
	arrived := there != nil && origin == nil && !s.Dir && !f.isUnseen(s.From) && agrees(&f.caps, s.Old, there)
	if s.Dir && there != nil && origin == nil && !f.isUnseen(s.From) {
		if arrived, err = f.arrived(ctx, s); err != nil {
			return err
		}
	}
	switch {
	case arrived:
		f.happened(s, s.New)
		return nil
	case s.Dir && (there != nil || f.isUnseen(s.Path)):
		// Half a move, on a remote that moves directories file by file; or somebody else's directory.
		f.onlyListed()
		return nil
	case f.isUnseen(s.Path):
		return errors.Join(f.correct(s.From, origin), f.doubt(s))
	}
	return errors.Join(f.correct(s.From, origin), f.correct(s.Path, there))
}

// onlyListed says that only a listing can tell what the remote holds.
func (f *finding) onlyListed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.relist = true
}

// arrived looks for one file of a moved directory where it should be now.
func (f *finding) arrived(ctx context.Context, s *journal.Step) (bool, error) {
	path, entry, err := lookup.AnyFile(f.cfg.Journal, s.From)
	if err != nil || entry == nil {
		return err == nil, err
	}
	there, err := f.stat(ctx, s.Path+path[len(s.From):])
	return there != nil && there.Entry.Kind == entry.Kind && there.Entry.Size == entry.Size &&
		(!f.caps.KeepsTimes() || agrees(&f.caps, entry, there)), err
}

// stat returns what the remote holds at path, or nil.
func (f *finding) stat(ctx context.Context, path string) (*remote.Object, error) {
	var there remote.Object
	err := execute.Attempt(ctx, &f.executor, &journal.Step{Path: path}, func() (err error) {
		there, err = f.conn.Stat(ctx, path)
		return err
	})
	switch {
	case err == nil:
		return &there, nil
	case errors.Is(err, remote.ErrNotFound):
		return nil, nil
	case execute.EndsRun(err) || errors.Is(err, remote.ErrTemporary):
		return nil, fmt.Errorf("stat %q: %w", path, err)
	case errors.Is(err, remote.ErrInvalidName):
		if base, err := f.cfg.Journal.Lookup(path); base == nil || err != nil {
			return nil, err // no such name can be there
		}
	}
	// One path that cannot be looked at must not stop all others for ever.
	f.cfg.Log.Warn("cannot look at what an interrupted run may have done", "path", path, "err", err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unseen[path] = true
	return nil, nil
}

// isUnseen reports whether the remote did not let us look at path: then it is neither there nor absent.
func (f *finding) isUnseen(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unseen[path]
}

func (f *finding) happened(s *journal.Step, entry *snapshot.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = append(f.done, journal.Done{Step: *s, Entry: entry, At: f.cfg.Now()})
}

func (f *finding) learn(path string, entry *snapshot.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, journal.Refresh{Path: path, Entry: entry})
}

// correct compares what the remote holds at path with the base. Where they disagree the base learns
// it as if it was adopted: the next scan compares it with the source. What could not be looked at stays as the base has it,
// and so does a directory in a bucket, where nothing but what is in it tells that it exists.
func (f *finding) correct(path string, there *remote.Object) error {
	base, err := f.cfg.Journal.Lookup(path)
	switch {
	case err != nil || f.isUnseen(path):
		return err
	case base != nil && base.Kind == snapshot.Dir && f.caps.BucketBased:
		// There may be a file beside it: the base has room for one, and knows what is in the directory.
	case there == nil && base != nil:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.absent = append(f.absent, path)
	case there == nil, base != nil && mayBe(&f.caps, base, there): // of which nobody knows more by now
	case there.Entry.Kind == snapshot.Dir:
		f.onlyListed() // nobody knows what is in it
	default:
		entry := there.Adopted(&f.caps)
		f.learn(path, &entry)
	}
	return nil
}

// agrees reports whether the remote holds what entry says. Where no mtime can tell, it is not
// believed: the same size may be the old content or the new.
func agrees(caps *remote.Caps, base *snapshot.Entry, there *remote.Object) bool {
	now := &there.Entry
	if base.Kind != now.Kind || base.Kind == snapshot.Dir {
		return base.Kind == now.Kind
	}
	return base.Size == now.Size && caps.KeepsTimes() && caps.MayHold(now.Mtime, base.Mtime)
}

// mayBe reports whether the remote may still hold what entry says. An earlier recovery may not have
// known what there is: its entry has no mtime, and then nothing but the size speaks against it.
func mayBe(caps *remote.Caps, base *snapshot.Entry, there *remote.Object) bool {
	if !remote.KnowsMtime(base) {
		return base.Kind == there.Entry.Kind && base.Size == there.Entry.Size
	}
	return agrees(caps, base, there)
}

// write makes the findings durable, and with them the end of the doubt.
func (f *finding) write(ctx context.Context) error {
	j := f.cfg.Journal
	f.inDoubt = nil // until all is written, the journal knows best which are left
	if err := j.Ack(f.done); err != nil {
		return err
	}
	// What the source has at these paths was compared with something else.
	for i := range f.done {
		f.rescan = append(f.rescan, f.done[i].Step.Path)
	}
	for i := range f.wrong {
		f.rescan = append(f.rescan, f.wrong[i].Path)
	}
	f.rescan = append(f.rescan, f.absent...)
	if err := lookup.Forget(j, f.absent); err != nil {
		return err
	}
	if len(f.wrong) > 0 {
		if err := j.Repair(f.wrong); err != nil {
			return err
		}
	}
	if f.relist {
		if err := f.adopt(ctx); err != nil {
			return err
		}
		f.rescan = append(f.rescan, "") // everything
	}
	return j.Settle(f.cfg.Now())
}
