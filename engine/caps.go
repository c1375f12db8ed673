package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// knownCaps is State.Caps: what the remote could do, opened with these options.
type knownCaps struct {
	remote.Caps
	Options string `json:",omitempty"`
}

// readCaps returns what state says of them.
func readCaps(state *journal.State) (known knownCaps, err error) {
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
		r.setCaps(r.conn.Caps())
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
	r.setCaps(known.Caps)
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
		r.setCaps(conn.Caps())
	}
	return r.checkPlaces()
}

// setCaps takes caps for those of the remote, less what it refused to do in this run.
func (r *run) setCaps(caps remote.Caps) {
	r.caps = caps
	r.caps.Move = caps.Move && !r.refused.Move
	r.caps.DirMove = caps.DirMove && !r.refused.DirMove
	r.caps.Copy = caps.Copy && !r.refused.Copy
	r.caps.SetMetadata = caps.SetMetadata && !r.refused.SetMetadata
}

// recordCaps writes down what the opened remote can do, and reports whether the plan was made for
// something else: for an older configuration of the remote, say.
func (r *run) recordCaps(planned remote.Caps) (differ bool, err error) {
	text, err := json.Marshal(knownCaps{r.conn.Caps(), r.cfg.Options})
	if err != nil {
		return false, fmt.Errorf("encode capabilities: %w", err)
	}
	if string(text) != r.state.Caps {
		if err := r.remember(func(s *journal.State) { s.Caps = string(text) }); err != nil {
			return false, err
		}
	}
	return planned != r.caps, nil
}
