package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/engine/remote"
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
			return add(there.Path, there.Adopted(&l.caps))
		})
	})
	if err != nil {
		return fmt.Errorf("adopt what the remote holds: %w", err)
	}
	l.state.Adopted = true
	return nil
}
