package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

type diffCmd struct {
	A int64  `arg:"" name:"a" help:"The number of a snapshot; 0 is before the first."`
	B *int64 `arg:"" optional:"" name:"b" help:"The number of a later one. Default: the latest."`
	settings.Selection
}

// Help is the long text of `diff --help`.
func (*diffCmd) Help() string {
	return `The numbers are those of 'snapsync snapshots'. What happened to a path several times counts once, and what
came and went in between does not count at all.

Examples:

    snapsync diff 12
    snapsync diff -m work 12
    snapsync diff 12 15 --json --source ~/work`
}

// Run implements the command.
func (c *diffCmd) Run(w *world) error {
	q := journal.HistoryQuery{AfterCycle: c.A}
	if c.B != nil {
		if *c.B < c.A {
			return exit.Usage("name the older one first", "snapshot %d is not after %d", *c.B, c.A)
		}
		q.UpToCycle = *c.B
	}
	if _, err := w.Choose(&c.Selection, "", ""); err != nil { // each mapping has numbers of its own
		return err
	}
	return withHistory(w, &c.Selection, "", "", func(s *mapping.Session) error {
		if err := knowSnapshots(s, c.A, q.UpToCycle); err != nil {
			return err
		}
		rows := []journal.HistoryRow(nil)
		if c.B == nil || *c.B > c.A {
			var err error
			if rows, err = s.Journal.History(q); err != nil {
				return err
			}
		}
		for _, d := range fold(rows) {
			if err := writeDelta(w, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// knowSnapshots refuses numbers that no snapshot has: an empty answer would look like "no changes".
func knowSnapshots(s *mapping.Session, numbers ...int64) error {
	cycles, err := s.Journal.Cycles(math.MaxInt32)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		known := func(c journal.Cycle) bool { return c.ID == n }
		if n != 0 && !slices.ContainsFunc(cycles, known) {
			return &exit.Failure{Status: exit.StatusError, Err: fmt.Errorf("there is no snapshot %d", n), Hint: "'snapsync snapshots' lists them; old ones are forgotten"}
		}
	}
	return nil
}

// delta is how one path differs between two snapshots.
type delta struct {
	path, from    string // from: its name in the older snapshot if that is another one
	before, after *snapshot.Entry
	dir           bool // a directory that was renamed as a whole
	files         int64
}

func (d delta) what() string {
	switch {
	case d.from != "":
		return "renamed"
	case d.before == nil:
		return "added"
	case d.after == nil:
		return "removed"
	}
	return "modified"
}

// edited reports whether a file is not what it was, whatever it is called.
func (d delta) edited() bool {
	if d.dir || d.before == nil || d.after == nil {
		return false
	}
	if d.before.HashType != snapshot.NoHash && d.before.HashType == d.after.HashType {
		return !d.before.SameContent(d.after)
	}
	return d.before.Size != d.after.Size || d.before.Mtime != d.after.Mtime
}

// fold replays history, oldest first, and keeps for every path only where it came from and what it
// was before. What ends as it began leaves nothing.
func fold(rows []journal.HistoryRow) []delta {
	f := folding{now: map[string]delta{}, gone: map[string]delta{}}
	for i := range rows {
		f.apply(&rows[i])
	}
	return f.deltas()
}

// folding is the state of a replay: what is at each path that was touched, and which of the paths of
// the older snapshot hold nothing any more.
type folding struct {
	now  map[string]delta // by present path
	gone map[string]delta // by path in the older snapshot
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
func (f *folding) origin(path string, before *snapshot.Entry) delta {
	if d, ok := f.now[path]; ok {
		return d
	}
	if before == nil {
		return delta{path: path}
	}
	return delta{path: path, from: path, before: before, after: before}
}

func (f *folding) send(r *journal.HistoryRow) {
	d, ok := f.now[r.Path]
	if !ok {
		d = f.origin(r.Path, r.Before)
	}
	if g, was := f.gone[r.Path]; was && d.before == nil {
		d = delta{from: r.Path, before: g.before} // it is back
		delete(f.gone, r.Path)
	}
	d.path, d.after = r.Path, r.After
	f.now[r.Path] = d
}

func (f *folding) remove(path string, before *snapshot.Entry) {
	d := f.origin(path, before)
	delete(f.now, path)
	if d.before != nil {
		f.gone[d.from] = delta{path: d.from, before: d.before}
	}
}

func (f *folding) move(r *journal.HistoryRow) {
	d := f.origin(r.From, r.Before)
	delete(f.now, r.From)
	if over, ok := f.now[r.Path]; ok && over.before != nil {
		f.gone[over.from] = delta{path: over.from, before: over.before}
	}
	d.path, d.after = r.Path, r.After
	f.now[r.Path] = d
}

// moveDir renames the directory and everything beneath it that was touched before.
func (f *folding) moveDir(r *journal.HistoryRow) {
	d := f.origin(r.From, r.Before)
	delete(f.now, r.From)
	beneath := func(path string) bool { return snapshot.Beneath(path, r.From) }
	moved := slices.DeleteFunc(slices.Collect(maps.Keys(f.now)), func(p string) bool { return !beneath(p) })
	for _, path := range moved {
		child := f.now[path]
		delete(f.now, path)
		child.path = r.Path + path[len(r.From):]
		f.now[child.path] = child
	}
	d.path, d.after, d.dir, d.files = r.Path, r.After, true, int64(r.Files)
	f.now[r.Path] = d
}

// deltas are the differences, sorted by path.
func (f *folding) deltas() []delta {
	out := slices.Collect(maps.Values(f.gone))
	for _, d := range f.now {
		if d.before == nil || d.path == d.from {
			d.from = ""
		}
		if d.from == "" && d.before != nil && (d.dir || d.before.SameContent(d.after) && d.before.Mtime == d.after.Mtime) {
			continue
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(x, y delta) int {
		return cmp.Or(snapshot.ComparePaths(x.path, y.path), cmp.Compare(x.what(), y.what()))
	})
	return out
}

// deltaJSON is one line of `diff --json`.
type deltaJSON struct {
	Type      string      `json:"type"`
	What      string      `json:"what"` // added, modified, removed, renamed
	From      string      `json:"from,omitempty"`
	Path      string      `json:"path"`
	Dir       bool        `json:"dir"`
	Files     int64       `json:"files,omitempty"`
	Edited    bool        `json:"edited"` // the content differs, also where it was renamed
	Before    *text.Entry `json:"before"`
	After     *text.Entry `json:"after"`
	PathBytes *string     `json:"path_base64,omitempty"`
	FromBytes *string     `json:"from_base64,omitempty"`
}

func writeDelta(w *world, d delta) error {
	if w.JSON {
		return text.WriteJSON(w.Out, deltaJSON{
			"change", d.what(), d.from, d.path, d.dir, d.files, d.edited(), text.NewEntry(d.before), text.NewEntry(d.after), text.RawName(d.path), text.RawName(d.from),
		})
	}
	_, err := fmt.Fprintln(w.Out, d.text())
	return err
}

func (d delta) text() string {
	switch d.what() {
	case "added":
		return fmt.Sprintf("+ %s (%s)", text.DirPath(d.path, d.dir), text.Size(d.after.Size))
	case "removed":
		return "- " + text.DirPath(d.path, d.dir)
	case "renamed":
		if d.dir {
			return fmt.Sprintf("→ %s → %s (%s)", text.DirPath(d.from, true), text.DirPath(d.path, true), text.Counted(d.files, "file"))
		}
		if d.edited() {
			return fmt.Sprintf("→ %s → %s (modified, %s)", text.Path(d.from), text.Path(d.path), d.sizes())
		}
		return fmt.Sprintf("→ %s → %s", text.Path(d.from), text.Path(d.path))
	}
	return fmt.Sprintf("~ %s (%s)", text.Path(d.path), d.sizes())
}

func (d delta) sizes() string {
	if d.before.Size == d.after.Size {
		return text.Size(d.after.Size)
	}
	return fmt.Sprintf("%s → %s", text.Size(d.before.Size), text.Size(d.after.Size))
}
