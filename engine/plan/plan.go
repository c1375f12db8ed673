// Package plan turns what differs between base and head into the steps that make the remote true again.
//
// Make finds the least that the remote has to do. It is pure: no clock, no I/O, and the same input gives the same plan,
// byte by byte. An entry of the base (an Old) is content that the remote holds; an entry of the head (a New) is a place
// where the source wants content. To plan is to find, for each place, the entry that costs least to bring there.
//
//	pair   (pair.go)   each Old with at most one New:
//	         directories    by inode, or because all their files went the same way  dirs.go
//	         where they are an unchanged file, under the name that it has once its directory moved
//	         files          by inode, by content, then by inode alone (edited)      match.go
//	         what is left   a file at the same path: it was modified
//	place  (place.go)  from the top of the tree down, every place that gets an Old from elsewhere, or that something
//	         else stands at:
//	           first the directories above it
//	           then free it: what stands there is placed itself; or parked under a temporary name, if that
//	             leads back to here; or deleted, if it goes anyway
//	           then move what belongs there
//	send   (send.go)   what is at its place and differs, and what is new: by a copy on the remote if some path holds
//	         the content then, or held it before a delete of place: that copy goes before the delete  first.go
//	drop   (drop.go)   delete, or retain, what was paired with nothing; then directories that nothing is left in
//	learn  (learn.go)  what the base may know at once: new stats, directories, what is retained
//
// Each stage is a function of what the one before returned: of pairs, and then of a draft with more steps (draft.go).
//
// The steps are in a correct order for one hand, and so for many: a step has to wait only for earlier steps on the same
// paths, above or beneath them, and the trailing deletes for everything else. Every prefix of a plan leaves a base from
// which the next plan reaches the same end.
//
// Of paths that differ only in case, one is planned and the others are left out, if the remote cannot tell them apart
// (case.go).
//
// What it leaves to others: whether the deletes may happen (guard.go of package engine), and what the base holds besides
// the changes: Input has functions that look it up.
package plan

import (
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Make returns the steps that make the remote true to the source.
func Make(in Input) journal.Plan {
	if in.Kept == nil {
		in.Kept = func(string) bool { return false }
	}
	if in.Covered == nil {
		in.Covered = func(string) bool { return false }
	}
	if in.Outside == nil {
		in.Outside = func(string) *snapshot.Entry { return nil }
	}
	if in.CaseVariant == nil {
		in.CaseVariant = func(string) (string, *snapshot.Entry) { return "", nil }
	}
	if in.Caps.BucketBased {
		in.Caps.DirMove = false // there is nothing to move
	}
	in.refuse(Conflicts(&in))
	steps, anyOld := 0, false // about how many, so that a million additions are allocated once
	for i := range in.Changes {
		c := &in.Changes[i]
		anyOld = anyOld || c.Old != nil
		if c.New == nil || c.Old == nil && IsFile(c.New) {
			steps++
		}
	}
	d := draft{pairs: pairs{Input: &in, tree: &tree{}}, steps: make([]journal.Step, 0, steps)}
	d = clearRetained(d)
	if anyOld {
		d.pairs = pair(&in, newTree(in.Changes))
		d = place(d)
	}
	d, copied := send(d)
	d = drop(d, copied)
	return journal.Plan{Steps: d.steps, Refresh: append(learn(d), in.forgetCaseVariants(d.steps)...)}
}
