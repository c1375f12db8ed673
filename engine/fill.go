package engine

import (
	"context"
	"fmt"

	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// fill is prepare for an empty base. The source is scanned, planned and journalled in pieces, so
// that the memory of a first run does not grow with the tree.
func (r *run) fill(ctx context.Context) (p planned, err error) {
	if err := r.learnCaps(ctx); err != nil {
		return p, err
	}
	if r.caps.CaseInsensitive { // a path may have its case variant in any other piece
		return r.prepareWhole(ctx)
	}
	if _, err := r.cfg.Journal.Begin(journal.Plan{}, r.cfg.Now()); err != nil {
		return p, err
	}
	scan := r.scanConfig()
	scan.Emit = func(changes []snapshot.Change) (err error) {
		// They do not depend on any others.
		part := plan.Make(plan.Input{Changes: changes, Caps: r.caps, CompleteSync: r.cfg.CompleteSync, Metadata: r.cfg.Metadata})
		if p.cycle, err = r.cfg.Journal.Extend(part, r.cfg.Now()); err != nil {
			return err
		}
		p.add(part.Steps, &scanned{})
		return nil
	}
	r.phase("scanning")
	head, err := snapshot.Scan(ctx, scan, snapshot.Empty{})
	if err != nil {
		return p, fmt.Errorf("scan %s: %w", scan.Root, err)
	}
	p.scanned = &scanned{head: head, problems: head.Problems}
	return p, nil
}
