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
	if r.caps.Folds() { // a path may have its twin in any other piece
		return r.prepareWhole(ctx)
	}
	j := r.cfg.Journal
	if _, err := j.Begin(journal.Plan{}, nil, r.cfg.Now()); err != nil {
		return p, err
	}
	var last journal.Plan // is kept for the end: what was mounted inside the source is known then
	scan := r.scanConfig()
	scan.Emit = func(changes []snapshot.Change) error {
		if !p.reached && p.unreached == nil {
			if err := r.reach(ctx, &p); err != nil {
				return err
			}
		}
		if len(last.Steps)+len(last.Refresh) > 0 {
			if _, err := j.Extend(last, nil, r.cfg.Now()); err != nil {
				return err
			}
			p.Add(last.Steps, nil)
		}
		// They do not depend on any others.
		last = plan.Make(plan.Input{Changes: changes, Caps: r.caps, CompleteSync: r.cfg.CompleteSync, Metadata: r.cfg.Metadata})
		return nil
	}
	r.phase("scanning")
	head, err := snapshot.Scan(ctx, scan, snapshot.Empty{})
	if err != nil {
		return p, fmt.Errorf("scan %s: %w", scan.Root, err)
	}
	p.scanned = &scanned{head: head, problems: head.Problems}
	err = r.begin(&p, func(rec *journal.Record) (int64, error) { return j.Extend(last, rec, r.cfg.Now()) })
	p.Add(last.Steps, nil)
	return p, err
}
