package plan

import (
	"slices"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// learner finds out what the base may know at once.
type learner struct {
	draft
	inUse []bool // directories of the base that hold files now, on a remote without directories; else nil
}

// learn returns what the base may know without any step. It leaves out every path at or beneath one
// that a step of this plan turns into something else: what the base says there has to stay true until
// that step is acknowledged, or a crash in between would forget what the remote holds. The next cycle
// learns the rest.
func learn(d draft) (refreshes []journal.Refresh) {
	l := learner{draft: d}
	if d.dest != nil && d.Caps.BucketBased {
		l.inUse = d.tree.holding(func(i int32) bool { return IsFile(d.old(i)) })
	}
	var forgotten []journal.Refresh
	root, frozen := "", false
	for k := range l.Changes {
		i, c := int32(k), &l.Changes[k]
		if frozen && (c.Path == root || snapshot.Beneath(c.Path, root)) {
			continue
		}
		if l.turns(i) {
			root, frozen = c.Path, true
			continue
		}
		switch e, ok := l.learned(i); {
		case ok && e == nil:
			forgotten = append(forgotten, journal.Refresh{Path: c.Path})
		case ok:
			refreshes = append(refreshes, journal.Refresh{Path: c.Path, Entry: e})
		}
	}
	slices.Reverse(forgotten) // a directory can be forgotten once it has nothing beneath it
	return append(refreshes, forgotten...)
}

// turns reports whether directories come, go or turn into files at i.
func (l *learner) turns(i int32) bool {
	old, now := l.old(i), l.now(i)
	return old != nil && now != nil && isDir(old) != isDir(now) ||
		isDir(old) && l.dest[i] != none && l.dest[i] != i ||
		isDir(now) && l.sourceOf(i) != none && l.source[i] != i
}

// learned returns what the base is to hold at i, and false if that is no news or takes a step.
func (l *learner) learned(i int32) (*snapshot.Entry, bool) {
	old, now := l.old(i), l.now(i)
	switch {
	case old == nil:
		// Where the remote is to have it too, it is known when the remote has it.
		return now, isDir(now) && !(l.EmptyDirs && l.Caps.EmptyDirs)
	case now == nil && !l.leftOver(i):
		return nil, false
	case now == nil && IsFile(old):
		return retain(old)
	case now == nil:
		return l.learnGoneDir(i)
	case isDir(now):
		return now, l.source[i] == i && *old != *now
	case l.source[i] != i || l.weigh(i, i) != settled:
		return nil, false
	}
	e := merged(old, now)
	return e, *e != *old
}

// learnGoneDir is about a directory that the source no longer has.
func (l *learner) learnGoneDir(i int32) (*snapshot.Entry, bool) {
	files := l.inUse != nil && l.inUse[i]
	switch old := l.old(i); {
	case !l.Caps.BucketBased, files && !l.CompleteSync, l.Kept(l.path(i)):
		return retain(old)
	default:
		return nil, !files // until its files are gone from the base, their directory has to be known
	}
}

// retain returns old as retained, and false if it is already.
func retain(old *snapshot.Entry) (*snapshot.Entry, bool) {
	if old.Flags.Has(snapshot.Retained) {
		return nil, false
	}
	e := *old
	e.Flags |= snapshot.Retained
	return &e, true
}
