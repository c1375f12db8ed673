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

// learnCaps makes e.caps those of the remote, without opening it if an earlier run wrote them down:
// so a plan can be made, and kept, while the remote is away. What was written down with other options
// is better than nothing.
func (e *Engine) learnCaps(ctx context.Context, state *journal.State) error {
	if e.beside {
		return nil // they are in use
	}
	if e.conn != nil {
		e.caps = e.conn.Caps()
		e.withdraw()
		return nil
	}
	if state.Caps == "" {
		return e.connect(ctx)
	}
	var known knownCaps
	if err := json.Unmarshal([]byte(state.Caps), &known); err != nil {
		return fmt.Errorf("read the remote's capabilities in the journal: %w", err)
	}
	if known.Options != e.cfg.Options {
		if err := e.connect(ctx); !errors.Is(err, remote.ErrOffline) {
			return err
		}
	}
	e.caps = known.Caps
	e.withdraw()
	return nil
}

// connect opens the remote unless it is open, and makes sure that it is where it was.
func (e *Engine) connect(ctx context.Context) error {
	if e.conn == nil {
		conn, err := e.cfg.Connect(ctx, e.cfg.Journal)
		if err != nil {
			return err
		}
		e.conn, e.caps = conn, conn.Caps()
		e.withdraw()
	}
	return e.checkPlaces()
}

// withdraw takes back what this remote refused to do in this run although it says that it can.
func (e *Engine) withdraw() {
	e.caps.Move = e.caps.Move && !e.refused.move
	e.caps.DirMove = e.caps.DirMove && !e.refused.dirMove
	e.caps.Copy = e.caps.Copy && !e.refused.copy
	e.caps.SetMetadata = e.caps.SetMetadata && !e.refused.metadata
}

// recordCaps writes down what the opened remote can do, and reports whether the plan was made for
// something else: for an older configuration of the remote, say.
func (e *Engine) recordCaps(state *journal.State, planned remote.Caps) (differ bool, err error) {
	text, err := json.Marshal(knownCaps{e.conn.Caps(), e.cfg.Options})
	if err != nil {
		return false, fmt.Errorf("encode capabilities: %w", err)
	}
	if string(text) != state.Caps {
		state.Caps = string(text)
		if err := e.cfg.Journal.Update(func(s *journal.State) { s.Caps = state.Caps }); err != nil {
			return false, err
		}
	}
	return planned != e.caps, nil
}
