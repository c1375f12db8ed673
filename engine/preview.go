package engine

import (
	"context"

	"github.com/snapsync/snapsync/journal"
)

// plan.Make says what Run would do now. It sends nothing, deletes nothing and writes nothing: its caller
// gives it a journal that is read-only, or one in memory where there is none yet. The remote is
// opened only if this mapping never ran.
func (e *Engine) Plan(ctx context.Context) (*Preview, error) {
	state, err := e.cfg.Journal.State()
	if err != nil {
		return nil, err
	}
	if _, err := e.checkSource(&state); err != nil {
		return nil, err
	}
	if !state.Adopted {
		forget, err := e.adoptInMemory(ctx)
		if err != nil {
			return nil, err
		}
		defer forget()
	}
	base, err := e.baseToBe(ctx, &state)
	if err != nil {
		return nil, err
	}
	seen, err := e.scanAgainst(ctx, &state, nil, base)
	if err != nil {
		return nil, err
	}
	plan, err := e.plan(seen)
	if err != nil {
		return nil, err
	}
	hold, err := e.guard(plan.Steps, &state)
	if err != nil {
		return nil, err
	}
	totals, err := e.cfg.Journal.Totals()
	if err != nil {
		return nil, err
	}
	preview := &Preview{Plan: plan, Head: seen.head, Hold: hold, Base: totals, Saved: make(map[int]int64)}
	if e.cfg.CompleteSync {
		preview.Mounts = heldByMounts(seen.head.Unproven)
	}
	preview.Head.Problems = seen.problems
	for i := range plan.Steps {
		if s := &plan.Steps[i]; s.Action == journal.Move && s.Dir {
			preview.Saved[i] = bytesBeneath(seen.changes, s.From)
		}
	}
	return preview, nil
}

// adoptInMemory gives the engine, until forget is called, a journal that is nowhere but in memory.
func (e *Engine) adoptInMemory(ctx context.Context) (forget func(), err error) {
	durable := e.cfg.Journal
	memory, err := journal.OpenMemory(durable.Mapping())
	if err != nil {
		return nil, err
	}
	e.cfg.Journal = memory
	forget = func() {
		e.cfg.Journal = durable
		memory.Close()
	}
	if err := e.adopt(ctx); err != nil {
		forget()
		return nil, err
	}
	return forget, nil
}
