package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Which names are one to a remote is up to its disk, of which few protocols tell. Where Caps say NamesUnknown, the engine
// finds out before the first plan that the remote is given: two names are sent, and what is there tells. The journal keeps
// the answer with the capabilities. A remote that neither tells nor lets itself be asked is taken for one that folds: two
// names that may be one are then not both sent.

// askNames finds out which names are one to the open remote, unless that is known, and puts it into l.caps.
func (l *link) askNames(ctx context.Context) error {
	if !l.conn.Caps().NamesUnknown || l.asked {
		return nil
	}
	totals, err := l.cfg.Journal.Totals()
	if err != nil {
		return err
	}
	// An empty base may have been filled from another disk.
	if l.namesFound() != nil && !l.relocated && totals != (journal.Totals{}) {
		return nil
	}
	l.phase("asking which names are one to the remote")
	names := l.conn.Caps()
	names.NamesUnknown = false
	for _, pair := range remote.ProbeNames() {
		one := pair.One(&names)
		if *one {
			continue
		}
		switch *one, err = l.areOne(ctx, pair); {
		case err == nil:
		case execute.EndsRun(err) || ctx.Err() != nil:
			return fmt.Errorf("ask which names are one to the remote: %w", err)
		default:
			l.cfg.Log.Info("the remote does not tell which names are one there: they are taken for one", "names", pair.Names, "err", err)
			*one, l.guessed = true, true
		}
	}
	l.asked, l.names = true, names
	l.caps = l.remoteCaps()
	return nil
}

// areOne sends both names of a pair, and reports whether the second replaced the first.
func (l *link) areOne(ctx context.Context, pair remote.ProbePair) (one bool, err error) {
	first, second := pair.Names[0], pair.Names[1]
	defer func() {
		for _, path := range pair.Names {
			if failed := l.conn.Delete(ctx, []string{path})[0]; failed != nil && !errors.Is(failed, remote.ErrInvalidName) {
				err = errors.Join(err, failed)
			}
		}
	}()
	for i, path := range pair.Names {
		err := l.try(ctx, path, func() error { return l.conn.Send(ctx, path, probe(i+1)) })
		if errors.Is(err, remote.ErrInvalidName) {
			return false, nil // what it cannot have is not one with anything
		}
		if err != nil && i == 1 {
			switch there, statErr := l.sizeOf(ctx, second); {
			case statErr == nil && there == 1:
				return true, nil // the first is in the way of the second
			case statErr == nil && there == 2:
				err = nil // only the answer was lost
			}
		}
		if err != nil {
			return false, err
		}
	}
	switch size, err := l.sizeOf(ctx, first); {
	case err != nil:
		return false, err
	case size == 1:
		return false, nil
	case size == 2:
		return true, nil
	}
	size, err := l.sizeOf(ctx, second) // where it is listed, it took the first one's place
	return size >= 0, err
}

// sizeOf returns the size of the file at path, or -1 if there is none.
func (l *link) sizeOf(ctx context.Context, path string) (int64, error) {
	var there remote.Object
	err := l.try(ctx, path, func() (err error) { there, err = l.conn.Stat(ctx, path); return err })
	if errors.Is(err, remote.ErrNotFound) {
		return -1, nil
	}
	return there.Entry.Size, err
}

func (l *link) try(ctx context.Context, path string, call func() error) error {
	cfg := l.executor(&l.caps)
	return execute.Attempt(ctx, &cfg, &journal.Step{Path: path}, call)
}

// remoteCaps are the capabilities of the open remote: what it says, with what was found out of its names, less what is refused.
func (l *link) remoteCaps() remote.Caps {
	caps := l.conn.Caps()
	if caps.NamesUnknown && l.asked {
		caps = takeNames(caps, &l.names)
	} else if found := l.namesFound(); caps.NamesUnknown && found != nil {
		caps = takeNames(caps, found)
	}
	caps.NamesUnknown = false // it is about what a Connection says
	return less(caps, l.refused)
}

// namesFound are the capabilities in which an earlier run, with the same options, wrote down which names are one; nil: none did.
func (l *link) namesFound() *remote.Caps {
	known, err := l.knownCaps()
	if err != nil || !known.Asked || known.Options != l.cfg.Options {
		return nil
	}
	return &known.Caps
}

// takeNames returns caps with the names that are one to a remote with these others.
func takeNames(caps remote.Caps, others *remote.Caps) remote.Caps {
	for _, pair := range remote.ProbeNames() {
		*pair.One(&caps) = *pair.One(&caps) || *pair.One(others)
	}
	return caps
}

// distrustNames compares the base with what is on a remote whose names turned out to be one: where two paths of the base are,
// only one of them can be there.
func (r *run) distrustNames(ctx context.Context, before remote.Caps) error {
	found := r.caps
	if !r.asked || found == before || !found.Folds() || r.state.LastRun.IsZero() {
		return nil
	}
	report, err := r.verify(ctx, VerifyOptions{Repair: true})
	if err == nil && report.Repaired > 0 {
		r.rescan = append(r.rescan, "")
	}
	return err
}

// probe is a file of so many bytes.
type probe int

func (n probe) Entry() snapshot.Entry {
	return snapshot.Entry{Kind: snapshot.File, Size: int64(n), Mtime: time.Unix(1_000_000_000, 0).UnixNano(), Mode: 0o644}
}

func (n probe) Open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(bytes.Repeat([]byte{'.'}, int(n)))), nil
}

// keepCaps has the journal remember, with the next plan, what the open remote can do.
func (l *link) keepCaps() error {
	said := l.conn.Caps()
	found := said.NamesUnknown && !l.guessed && (l.asked || l.namesFound() != nil)
	if found {
		said = takeNames(said, &l.caps)
	}
	said.NamesUnknown = false
	return l.takeCaps(said, found)
}
