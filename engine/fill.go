package engine

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// canFill reports whether the base is empty, so that everything in the source is new: nothing can
// have moved, nothing is deleted, and each change is planned without regard to the others.
// Directories that are cargo need their neighbours: then there is no filling.
func (e *Engine) canFill() (bool, error) {
	if e.cfg.EmptyDirs {
		return false, nil
	}
	totals, err := e.cfg.Journal.Totals()
	return totals == journal.Totals{}, err
}

// fill is prepare for an empty base. The source is scanned, planned and journalled in pieces, so
// that the memory of a first run does not grow with the tree.
func (e *Engine) fill(ctx context.Context, state *journal.State) (p prepared, err error) {
	if err := e.learnCaps(ctx, state); err != nil {
		return p, err
	}
	if e.caps.CaseInsensitive { // a path may have its case variant in any other piece
		return e.prepareWhole(ctx, state)
	}
	if _, err := e.cfg.Journal.Begin(journal.Plan{}, e.cfg.Now()); err != nil {
		return p, err
	}
	scan := e.scanConfig(state)
	scan.Emit = func(changes []snapshot.Change) (err error) {
		plan := e.planPart(changes)
		if p.cycle, err = e.cfg.Journal.Extend(plan, e.cfg.Now()); err != nil {
			return err
		}
		p.todo.add(plan.Steps, nil)
		return nil
	}
	e.phase("scanning")
	head, err := snapshot.Scan(ctx, scan, snapshot.Empty{})
	if err != nil {
		return p, fmt.Errorf("scan %s: %w", scan.Root, err)
	}
	p.seen = &scanned{head: head, problems: head.Problems}
	return p, nil
}

// planPart plans changes that do not depend on any others.
func (e *Engine) planPart(changes []snapshot.Change) journal.Plan {
	return plan.Make(plan.Input{Changes: changes, Caps: e.caps, CompleteSync: e.cfg.CompleteSync, Metadata: e.cfg.Metadata})
}
