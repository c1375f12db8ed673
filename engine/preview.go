package engine

import (
	"context"

	"github.com/snapsync/snapsync/engine/execute"
	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/journal"
)

// Plan says what Run would do now. It sends nothing, deletes nothing and writes nothing: its caller
// gives it a journal that is read-only, or one in memory where there is none yet. The remote is
// opened only if this mapping never ran.
func (e *Engine) Plan(ctx context.Context) (*Preview, error) {
	r, err := e.newRun()
	if err != nil {
		return nil, err
	}
	if _, err := r.checkSource(); err != nil {
		return nil, err
	}
	if !r.state.Adopted {
		forget, err := r.adoptInMemory(ctx)
		if err != nil {
			return nil, err
		}
		defer forget()
	}
	base, err := r.baseToBe(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := r.scan(ctx, nil, base)
	if err != nil {
		return nil, err
	}
	plan, err := r.plan(seen)
	if err != nil {
		return nil, err
	}
	hold, err := r.guard(plan.Steps, seen.head)
	if err != nil {
		return nil, err
	}
	totals, err := r.cfg.Journal.Totals()
	if err != nil {
		return nil, err
	}
	preview := &Preview{Plan: plan, Head: seen.head, Hold: hold, Base: totals, Saved: make(map[int]int64)}
	if r.cfg.CompleteSync {
		preview.Mounts = guard.Unmounted(seen.head.Unproven)
	}
	preview.Head.Problems = seen.problems
	for i := range plan.Steps {
		if s := &plan.Steps[i]; s.Action == journal.Move && s.Dir {
			preview.Saved[i] = execute.BytesBeneath(seen.changes, s.From)
		}
	}
	return preview, nil
}

// adoptInMemory gives the engine, until forget is called, a journal that is nowhere but in memory.
func (r *run) adoptInMemory(ctx context.Context) (forget func(), err error) {
	durable := r.cfg.Journal
	memory, err := journal.OpenMemory(durable.Mapping())
	if err != nil {
		return nil, err
	}
	r.cfg.Journal = memory
	forget = func() {
		r.cfg.Journal = durable
		memory.Close()
	}
	if err := r.adopt(ctx); err != nil {
		forget()
		return nil, err
	}
	return forget, nil
}
