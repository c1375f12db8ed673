package engine

import (
	"github.com/snapsync/snapsync/engine/pathset"
	"github.com/snapsync/snapsync/engine/plan"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// leaveInDoubt takes out of the pending steps those in doubt, which nobody may plan anew before it is known what became of
// them, and out of scopes what has to do with them: deferred are the paths of these scopes.
func leaveInDoubt(caps *remote.Caps, steps, pending []journal.Step, scopes []snapshot.Scope) (rest []journal.Step, others []snapshot.Scope, deferred []string) {
	if len(steps) == 0 {
		return pending, scopes, nil
	}
	inDoubt := pathset.ClaimsOf(caps, steps)
	for i := range pending {
		if !inDoubt.Overlaps(&pending[i]) {
			rest = append(rest, pending[i])
		}
	}
	others = make([]snapshot.Scope, 0, len(scopes))
	for _, s := range scopes {
		if inDoubt.Overlaps(&journal.Step{Path: s.Path}) {
			deferred = append(deferred, s.Path)
			continue
		}
		others = append(others, s)
	}
	return rest, others, deferred
}

// widen adds to scopes the paths of all pending steps that have to be planned anew: those that overlap
// a scope, and then those that overlap these; and every delete and everything held, which are judged
// over a plan as a whole. The rest is kept.
func widen(caps *remote.Caps, scopes []snapshot.Scope, pending []journal.Step) (wider []snapshot.Scope, kept, dropped []journal.Step) {
	in := pathset.NewClaims(caps)
	everything := false
	for _, s := range scopes {
		everything = everything || s.Path == ""
		in.Add(&journal.Step{Path: s.Path})
	}
	for kept = pending; ; {
		var rest []journal.Step
		for i := range kept {
			s := &kept[i]
			if !everything && !s.Held && s.Action != journal.Delete && !in.Overlaps(s) {
				rest = append(rest, *s)
				continue
			}
			dropped = append(dropped, *s)
			scopes = append(scopes, scopesOf(kept[i:i+1])...)
		}
		if len(rest) == len(kept) {
			return scopes, rest, dropped
		}
		for i := range dropped {
			in.Add(&journal.Step{Path: dropped[i].Path})
			if from := dropped[i].From; from != "" {
				in.Add(&journal.Step{Path: from})
			}
		}
		kept = rest
	}
}

// scopesOf are the places that steps are about.
func scopesOf(steps []journal.Step) (scopes []snapshot.Scope) {
	for i := range steps {
		s := &steps[i]
		deep := s.Dir || s.New != nil && s.New.Kind == snapshot.Dir || s.Old != nil && s.Old.Kind == snapshot.Dir
		scopes = append(scopes, snapshot.Scope{Path: s.Path, Deep: deep})
		if s.From != "" {
			scopes = append(scopes, snapshot.Scope{Path: s.From, Deep: deep})
		}
	}
	return scopes
}

// overlapping returns those of kept that have a path in common with one of steps.
func overlapping(caps *remote.Caps, kept, steps []journal.Step) (both []journal.Step) {
	if len(kept) == 0 || len(steps) == 0 {
		return nil
	}
	planned := pathset.ClaimsOf(caps, steps)
	for i := range kept {
		if planned.Overlaps(&kept[i]) {
			both = append(both, kept[i])
		}
	}
	return both
}

// unexplained returns those of grace that are absent, that nothing was moved from, and that are not in
// the way of anything.
func unexplained(steps []journal.Step, changes []snapshot.Change, grace []string) (waiting []string) {
	moved := pathset.New(&remote.Caps{})
	for i := range steps {
		switch s := &steps[i]; {
		case s.Action == journal.Move:
			moved.Count(s.From, 1)
		case s.Action == journal.Delete && s.Reason == journal.Renamed: // where nothing can be moved
			moved.Count(s.Path, 1)
		}
	}
	for _, path := range grace {
		c := plan.Find(changes, path)
		if c != nil && c.New == nil && !moved.Overlaps(path) && !replacedAbove(changes, path) {
			waiting = append(waiting, path)
		}
	}
	return waiting
}

// replacedAbove reports whether a file took the place of a directory above path.
func replacedAbove(changes []snapshot.Change, path string) bool {
	for dir, _ := snapshot.Split(path); dir != ""; dir, _ = snapshot.Split(dir) {
		if c := plan.Find(changes, dir); c != nil && plan.IsFile(c.New) {
			return true
		}
	}
	return false
}
