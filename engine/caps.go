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

// recordCaps writes down what the opened remote can do, and reports whether the plan was made for
// something else: for an older configuration of the remote, say.
func (r *run) recordCaps(planned remote.Caps) (differ bool, err error) {
	text, err := json.Marshal(knownCaps{r.conn.Caps(), r.cfg.Options})
	if err != nil {
		return false, fmt.Errorf("encode capabilities: %w", err)
	}
	r.state.Caps = string(text)
	return planned != r.caps, r.save()
}
