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

// learn returns what the base may know without any step. Paths at or beneath one that a step turns into something else
// are left out: what the base says there has to stay true until that step is acknowledged, or a crash in between would
// forget what the remote holds. The next cycle learns the rest.
func learn(d draft) (refreshes []journal.Refresh) {
	l := learner{draft: d}
	if d.dest != nil && d.Caps.BucketBased {
		l.inUse = d.tree.holding(func(i int32) bool { return IsFile(d.old(i)) })
	}
	var forgotten []journal.Refresh
	root, frozen := "", false
	for i := range l.size() {
		path := l.path(i)
		if frozen && (path == root || snapshot.Beneath(path, root)) {
			continue
		}
		if l.turns(i) {
			root, frozen = path, true
			continue
		}
		switch e, ok := l.learned(i); {
		case ok && e == nil:
			forgotten = append(forgotten, journal.Refresh{Path: path})
		case ok:
			refreshes = append(refreshes, journal.Refresh{Path: path, Entry: e})
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
	files := l.inUse != nil && l.inUse[i]
	switch {
	case old == nil:
		// Where the remote is to have it too, it is known when the remote has it.
		return now, isDir(now) && !(l.EmptyDirs && l.Caps.EmptyDirs)
	case now == nil && !l.leftOver(i):
		return nil, false
	case now == nil && (IsFile(old) || !l.Caps.BucketBased || files && !l.CompleteSync || l.Kept(l.path(i))):
		e := *old
		e.Flags |= snapshot.Retained
		return &e, !old.Flags.Has(snapshot.Retained)
	case now == nil:
		return nil, !files // until its files are gone from the base, a directory has to be known
	case isDir(now):
		return now, l.source[i] == i && *old != *now
	case l.source[i] != i || l.weigh(i, i) != settled:
		return nil, false
	}
	e := merged(old, now)
	return e, *e != *old
}
