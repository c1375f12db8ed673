package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// knownCaps is EngineState.Caps: what the remote could do, opened with these options.
type knownCaps struct {
	remote.Caps
	Options string `json:",omitempty"`
}

// readCaps returns what state says of them.
func readCaps(state *journal.EngineState) (known knownCaps, err error) {
	if state.Caps == "" {
		return known, nil
	}
	if err := json.Unmarshal([]byte(state.Caps), &known); err != nil {
		return known, fmt.Errorf("read the remote's capabilities in the journal: %w", err)
	}
	return known, nil
}

// learnCaps makes r.caps those of the remote, without opening it if an earlier run wrote them down:
// so a plan can be made, and kept, while the remote is away. What was written down with other options
// is better than nothing.
func (r *run) learnCaps(ctx context.Context) error {
	if r.beside {
		return nil // they are in use
	}
	if r.conn != nil {
		r.caps = less(r.conn.Caps(), r.refused)
		return nil
	}
	if r.state.Caps == "" {
		return r.connect(ctx)
	}
	known, err := readCaps(&r.state)
	if err != nil {
		return err
	}
	if known.Options != r.cfg.Options {
		if err := r.connect(ctx); !errors.Is(err, remote.ErrOffline) {
			return err
		}
	}
	r.caps = less(known.Caps, r.refused)
	return nil
}

// connect opens the remote unless it is open, and makes sure that it is where it was.
func (r *run) connect(ctx context.Context) error {
	if r.conn == nil {
		conn, err := r.cfg.Connect(ctx, r.cfg.Journal)
		if err != nil {
			return err
		}
		r.conn = conn
		r.caps = less(conn.Caps(), r.refused)
	}
	return r.checkPlaces()
}

// less returns what is left of caps without what is refused.
func less(caps, refused remote.Caps) remote.Caps {
	caps.Move = caps.Move && !refused.Move
	caps.DirMove = caps.DirMove && !refused.DirMove
	caps.Copy = caps.Copy && !refused.Copy
	caps.SetMetadata = caps.SetMetadata && !refused.SetMetadata
	return caps
}

// takeCaps takes in what the opened remote can do.
func (r *run) takeCaps() error {
	text, err := json.Marshal(knownCaps{r.conn.Caps(), r.cfg.Options})
	if err != nil {
		return fmt.Errorf("encode capabilities: %w", err)
	}
	r.state.Caps = string(text)
	return nil
}

// errStale means that a plan was thrown away: it was made for a remote that turned out to be another one.
var errStale = fmt.Errorf("%w: what it can do, or where it is, changed while the plan was made", remote.ErrTemporary)

// reach opens the remote for a plan that is about to be journalled. It fails only with errStale, if the plan was made for an
// older configuration of the remote, say, or for a base that is not what the remote holds where it is now. What else is wrong is
// kept in p.unreached, for when the plan is in the journal: an offline run leaves it there.
func (r *run) reach(ctx context.Context, p *planned) error {
	before := r.caps
	if p.unreached = r.connect(ctx); p.unreached != nil {
		return nil
	}
	if p.unreached = r.takeCaps(); p.unreached != nil {
		return nil
	}
	if r.caps != before {
		return errStale
	}
	if r.relocated {
		if p.unreached = r.compareMoved(ctx); p.unreached != nil {
			return nil
		}
		return errStale
	}
	p.reached = true
	return nil
}
