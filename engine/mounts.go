package engine

import (
	"maps"
	"slices"

	"github.com/snapsync/snapsync/engine/guard"
	"github.com/snapsync/snapsync/snapshot"
)

// takeMounts takes in what is kept for file systems that are not mounted any more. A scan of a part of
// the source says nothing about the rest: what an earlier one found there still counts.
func (r *run) takeMounts(seen *scanned) {
	known := seen.whole || len(r.missingMounts) > 0 // else it is the journal that knows, from an earlier process
	lost := make(map[string]snapshot.Unproven)
	for path, u := range r.missingMounts {
		inside := func(scope snapshot.Scope) bool {
			return scope.Deep && (scope.Path == "" || scope.Path == path || snapshot.Beneath(path, scope.Path))
		}
		if !seen.whole && !slices.ContainsFunc(seen.within, inside) {
			lost[path] = u
		}
	}
	for _, u := range seen.head.Unproven {
		if u.Mount && u.Kept > lost[u.Path].Kept { // a scan inside of it counts only a part
			lost[u.Path] = u
		}
	}
	r.missingMounts = lost
	var places []snapshot.Unproven
	for _, path := range slices.SortedFunc(maps.Keys(lost), snapshot.ComparePaths) {
		places = append(places, lost[path])
	}
	var held guard.Hold
	if hold := guard.Unmounted(places); hold != nil && r.cfg.CompleteSync {
		held = *hold
	} else if !known {
		return
	}
	r.state.MountsHeld, r.state.MountsWhy = held.Deletes, held.Why
}

// warn logs where absence proved nothing, for a process that stays: a single run has its Summary for
// that. Each place is warned of once, until a scan of all of the source finds it in order.
func (e *Engine) warn(unproven []snapshot.Unproven, whole bool) {
	warned := make(map[string]string)
	if !whole {
		maps.Copy(warned, e.warned)
	}
	for i := range unproven {
		u := &unproven[i]
		if warned[u.Path] = u.Reason; e.warned[u.Path] != u.Reason {
			e.cfg.Log.Warn("nothing beneath is deleted", "path", u.Path, "reason", u.Reason, "kept", u.Kept)
		}
	}
	e.warned = warned
}
