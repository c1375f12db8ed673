// Package replay says what differs between two snapshots, from the history between them.
//
//	fold.go      history → changes
//	change.go    a change, for people and in JSON
//
// What happened to a path several times is one change, and what came and went in between is none.
package replay

import (
	"cmp"
	"maps"
	"slices"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Fold replays history, oldest first, and keeps for every path only where it came from and what it
// was before. What ends as it began leaves nothing.
func Fold(rows []journal.HistoryRow) []Change {
	f := folding{now: map[string]Change{}, gone: map[string]Change{}}
	for i := range rows {
		f.apply(&rows[i])
	}
	return f.changes()
}

// folding is the state of a replay: what is at each path that was touched, and which of the paths of
// the older snapshot hold nothing any more.
type folding struct {
	now  map[string]Change // by present path
	gone map[string]Change // by path in the older snapshot
}

func (f *folding) apply(r *journal.HistoryRow) {
	switch {
	case r.Action == journal.Move && r.Dir:
		f.moveDir(r)
	case r.Action == journal.Move:
		f.move(r)
	case r.Action == journal.Delete && !r.Dir:
		f.remove(r.Path, r.Before)
	case r.Action == journal.Send && r.How != journal.Mkdir:
		f.send(r)
	}
}

// origin is what was at path in the older snapshot, as far as the replay has seen it.
func (f *folding) origin(path string, before *snapshot.Entry) Change {
	if c, ok := f.now[path]; ok {
		return c
	}
	if before == nil {
		return Change{path: path}
	}
	return Change{path: path, from: path, before: before, after: before}
}

func (f *folding) send(r *journal.HistoryRow) {
	c := f.origin(r.Path, r.Before)
	if g, was := f.gone[r.Path]; was && c.before == nil {
		c = Change{from: r.Path, before: g.before} // it is back
		delete(f.gone, r.Path)
	}
	c.path, c.after = r.Path, r.After
	f.now[r.Path] = c
}

func (f *folding) remove(path string, before *snapshot.Entry) {
	c := f.origin(path, before)
	delete(f.now, path)
	if c.before != nil {
		f.gone[c.from] = Change{path: c.from, before: c.before}
	}
}

func (f *folding) move(r *journal.HistoryRow) {
	c := f.origin(r.From, r.Before)
	delete(f.now, r.From)
	if over, ok := f.now[r.Path]; ok && over.before != nil {
		f.gone[over.from] = Change{path: over.from, before: over.before}
	}
	c.path, c.after = r.Path, r.After
	f.now[r.Path] = c
}

// moveDir renames the directory and everything beneath it that was touched before.
func (f *folding) moveDir(r *journal.HistoryRow) {
	c := f.origin(r.From, r.Before)
	delete(f.now, r.From)
	beneath := func(path string) bool { return snapshot.Beneath(path, r.From) }
	moved := slices.DeleteFunc(slices.Collect(maps.Keys(f.now)), func(p string) bool { return !beneath(p) })
	for _, path := range moved {
		child := f.now[path]
		delete(f.now, path)
		child.path = r.Path + path[len(r.From):]
		f.now[child.path] = child
	}
	c.path, c.after, c.dir, c.files = r.Path, r.After, true, int64(r.Files)
	f.now[r.Path] = c
}

// changes are the differences, sorted by path.
func (f *folding) changes() []Change {
	out := slices.Collect(maps.Values(f.gone))
	for _, c := range f.now {
		if c.before == nil || c.path == c.from {
			c.from = ""
		}
		if c.from == "" && c.before != nil && (c.dir || c.before.SameContent(c.after) && c.before.Mtime == c.after.Mtime) {
			continue
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Change) int {
		return cmp.Or(snapshot.ComparePaths(x.path, y.path), cmp.Compare(x.what(), y.what()))
	})
	return out
}
