// Package plan turns what differs between base and head into the steps that make the remote true again.
//
// Make turns what differs into the least that the remote has to do. It is pure: no clock, no I/O, and the same
// input gives the same plan, byte by byte. An entry of the base (an Old) is content that the remote holds; an
// entry of the head (a New) is a place where the source wants content. Planning is to find for each
// place the entry that costs least to bring there.
//
//	pair   (pair.go)   each Old with at most one New:
//	         directories    by inode, or because all their files went the same way  dirs.go
//	         where they are an unchanged file, under the name that it has once its directory moved
//	         files          by inode, by content, then by inode alone (edited)      match.go
//	         what is left   a file at the same path: it was modified
//	place  (place.go)  from the top of the tree down, for every place that gets an Old from
//	         elsewhere or is taken by something else:
//	           first the directories above it
//	           then free it: what stands there is placed itself, or, if that leads back to here,
//	             parked under a temporary name; or deleted, if it goes anyway
//	           then move what belongs there
//	send   (send.go)   what is at its place and differs, and what is new; by a copy on the
//	         remote if some path holds the content at that moment, or did before a delete of
//	         place: then the copy goes before it  first.go
//	drop   (drop.go)   delete, or retain, what was paired with nothing; then directories that
//	         nothing is left in
//	learn  (drop.go)   what the base may know at once: new stats, directories, what is retained
//
// The result is a correct order for one hand, and so for many: a step has to wait only for earlier
// steps on the same paths, above or beneath them, and the trailing deletes for everything else. Every
// prefix of a plan leaves a base from which the next plan reaches the same end.
//
// Of paths that differ only in case, where the remote cannot tell them apart, one is planned and the
// others are left out (case.go).
//
// What it leaves to others: whether the deletes may happen (guard.go of package engine), and what the base
// holds besides the changes: Input has functions that look it up.
package plan

import (
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Input is everything that a plan depends on.
type Input struct {
	// Changes are those of snapshot.Head, in the same order, with New.Hash filled in where Needs
	// asked for it.
	Changes []snapshot.Change
	Caps    remote.Caps

	CompleteSync bool // mirror deletes; otherwise what is gone is retained
	EmptyDirs    bool // directories without files are wanted on the remote
	Metadata     bool // changed modes, owners and attributes count

	// Known are paths that hold content which new files may have, among those that are not in
	// Changes. What is retained counts.
	Known map[Content]string
	// Kept reports whether the base holds anything beneath dir that is not in Changes: unchanged,
	// retained, excluded or unproven. Such a directory is never empty. nil: no.
	Kept func(dir string) bool
	// CaseVariant returns what the base holds, and is not in Changes, under a path that differs from this one
	// only in case; "" if nothing. Of several, a retained file is the last. nil: nothing.
	CaseVariant func(path string) (variant string, e *snapshot.Entry)
	// Survived reports whether the New of one change certainly is the file that the Old of another
	// one was, edited and under another name. It is asked only about pairs with the same inode, whose
	// number alone proves nothing: a freed one is given to the next new file at once. nil: no.
	Survived func(old, now int) bool
}

// Content identifies what a file holds.
type Content struct {
	Size int64
	Hash snapshot.Hash // XXH3
}

// Make returns the steps that make the remote true to the source. Their order is as described above.
func Make(in Input) journal.Plan {
	if in.Kept == nil {
		in.Kept = func(string) bool { return false }
	}
	if in.CaseVariant == nil {
		in.CaseVariant = func(string) (string, *snapshot.Entry) { return "", nil }
	}
	if in.Caps.BucketBased {
		in.Caps.DirMove = false // there is nothing to move
	}
	in.refuse(Conflicts(&in))
	p := &planner{Input: in}
	p.out.Steps = make([]journal.Step, 0, p.count())
	if p.anyOld {
		p.tree = newTree(in.Changes)
		p.pair()
		p.place()
	}
	p.send()
	if p.anyOld {
		p.drop()
	}
	p.learn()
	p.forgetCaseVariants()
	return p.out
}

// planner is one plan in the making.
type planner struct {
	Input
	out    journal.Plan
	anyOld bool  // the base holds something at some path; else all of what follows stays nil
	tree   *tree // where everything is, as the steps so far leave it

	// Indexes into Changes, each a slice as long as Changes. An Old and a New are named by the index
	// of their change.
	dest     []int32 // of an Old: the New that it becomes
	source   []int32 // of a New: the Old that it is made from; the reverse of dest
	occupant []int32 // of a New: the Old that lies there once the directories above have moved
	origin   []int32 // of a New: the Old with the same content, if files cannot be moved; or nil

	places   []placing // of a New
	drops    []dropped // of an Old: what the plan did to it
	variants caseVariants
	reserved map[string]bool // temporary names in use
	copied   map[int32]bool  // Olds whose file was copied to where it is now
}

// none is the absence of an index.
const none int32 = -1

// count estimates the number of steps, so that a million additions are allocated once.
func (p *planner) count() int {
	steps := 0
	for i := range p.Changes {
		c := &p.Changes[i]
		p.anyOld = p.anyOld || c.Old != nil
		if c.Old == nil && IsFile(c.New) || c.New == nil {
			steps++
		}
	}
	return steps
}

func (p *planner) path(i int32) string         { return p.Changes[i].Path }
func (p *planner) old(i int32) *snapshot.Entry { return p.Changes[i].Old }
func (p *planner) now(i int32) *snapshot.Entry { return p.Changes[i].New }

func (p *planner) step(s journal.Step) { p.out.Steps = append(p.out.Steps, s) }

// sourceOf returns the Old that ends at place h, or none.
func (p *planner) sourceOf(h int32) int32 {
	if !p.anyOld {
		return none
	}
	return p.source[h]
}

// weigh compares Old i with the place h that it was paired with.
func (p *planner) weigh(i, h int32) verdict {
	return p.compare(p.old(i), p.now(h), p.occupant[h] != i)
}

// merged is what the base will know of content that was there as old and is seen as now: the new
// stat, and the hash, whoever knows it.
func merged(old, now *snapshot.Entry) *snapshot.Entry {
	if now.HashType != snapshot.NoHash || old.HashType == snapshot.NoHash || isDir(now) {
		return now
	}
	e := *now
	e.HashType, e.Hash = old.HashType, old.Hash
	return &e
}
