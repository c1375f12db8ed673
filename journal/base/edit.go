package base

import (
	"fmt"
	"slices"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Refresh is something that the base learns without any action on the remote: the present stat of
// content that the remote already holds, a directory's identity, that an entry is retained, or (with
// a nil Entry) that a path is to be forgotten because the remote never held anything there.
type Refresh struct {
	Path  string
	Entry *snapshot.Entry
}

// Writer changes the base of one database. It is used within transactions only, which wait for each other.
type Writer struct{ dirs directories }

// directories are some of those that have a row in the base.
type directories map[string]struct{}

// maxDirectories bounds how many are remembered.
const maxDirectories = 4096

func (d directories) add(dir string) {
	if len(d) >= maxDirectories {
		clear(d)
	}
	d[dir] = struct{}{}
}

// NewWriter returns a writer that knows no directory yet.
func NewWriter() *Writer { return &Writer{make(directories)} }

// Edit is a change of the base within a transaction. What changes in the sums is collected, so that they are written once. An Edit is
// only valid within the function that it is given to.
type Edit struct {
	*database.Tx
	dirs   directories
	totals Totals
}

// Edit has fn change about so many rows in t. With many, the index of contents is dropped first.
func (w *Writer) Edit(t *database.Tx, rows int, fn func(*Edit) error) error {
	if err := dropIndex(t, rows); err != nil {
		return err
	}
	t.OnRollback(func() { clear(w.dirs) })
	e := Edit{Tx: t, dirs: w.dirs}
	if err := fn(&e); err != nil {
		return err
	}
	d := e.totals
	if d == (Totals{}) {
		return nil
	}
	return t.Exec(`UPDATE counter SET files = files + ?, bytes = bytes + ?, dirs = dirs + ?, retained = retained + ?,
		retained_bytes = retained_bytes + ?`, d.Files, d.Bytes, d.Dirs, d.Retained, d.RetainedBytes)
}

// Refresh makes the base say what changes say. Removals come last and from the leaves up, so that a directory
// that goes with everything in it leaves nothing, in whatever order they are given.
func (e *Edit) Refresh(changes []Refresh) error {
	var gone []string
	for i := range changes {
		r := &changes[i]
		if r.Entry == nil {
			gone = append(gone, r.Path)
		} else if _, err := e.Set(r.Path, r.Entry); err != nil {
			return err
		}
	}
	slices.SortFunc(gone, func(a, b string) int { return snapshot.ComparePaths(b, a) })
	for _, path := range gone {
		if _, err := e.Set(path, nil); err != nil {
			return err
		}
	}
	return nil
}

// Set makes the base hold now at path, nil for nothing, and returns what it held before. Directories that lead to
// path get rows.
func (e *Edit) Set(path string, now *snapshot.Entry) (was *snapshot.Entry, err error) {
	if was, err = lookup(e.Conn, path); err != nil {
		return nil, err
	}
	switch {
	case now == nil && was == nil:
		return nil, nil
	case now == nil:
		return was, e.remove(path, was)
	}
	if err := now.Validate(); err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	if was != nil {
		e.totals.count(was, -1)
	} else if err := e.addParents(path); err != nil {
		return nil, err
	}
	if now.Kind != snapshot.Dir {
		delete(e.dirs, path)
		if was != nil && was.Kind == snapshot.Dir {
			// A bucket has no directories to delete: their rows go with the one above them.
			if err := e.removeBeneath(path); err != nil {
				return nil, err
			}
		}
	}
	e.totals.count(now, 1)
	return was, e.store(path, now)
}

// Add is Set of what is probably new. If the base holds something at path already, it reports false and does nothing.
func (e *Edit) Add(path string, now *snapshot.Entry) (bool, error) {
	if err := now.Validate(); err != nil {
		return false, fmt.Errorf("%q: %w", path, err)
	}
	if err := e.addParents(path); err != nil {
		return false, err
	}
	err := e.storeWith("INSERT INTO base (dir, name, entry) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", path, now)
	if err != nil || e.Changes() == 0 {
		return false, err
	}
	e.totals.count(now, 1)
	return true, nil
}

// Move makes the base hold now at to, nil for nothing, and nothing at from, and returns what it held at from. With dir,
// everything beneath from moves as well. The remote renames a directory only to a path that does not exist, so what the
// base holds beneath to is known to be false, and goes.
func (e *Edit) Move(from, to string, dir bool, now *snapshot.Entry) (was *snapshot.Entry, err error) {
	if was, err = lookup(e.Conn, from); err != nil {
		return nil, err
	}
	if dir {
		if err := e.moveBeneath(from, to); err != nil {
			return nil, err
		}
	}
	if _, err := e.Set(from, nil); err != nil {
		return nil, err
	}
	_, err = e.Set(to, now)
	return was, err
}

// store writes a row and nothing else.
func (e *Edit) store(path string, now *snapshot.Entry) error {
	return e.storeWith("REPLACE INTO base (dir, name, entry) VALUES (?, ?, ?)", path, now)
}

func (e *Edit) storeWith(text, path string, now *snapshot.Entry) error {
	dir, name := snapshot.Split(path)
	e.OutdatesViews()
	return e.Prepare(text).Text(dir).Text(name).Entry(now).Run()
}

// addParents makes sure that every directory above path has a row: on the remote they exist, since
// something beneath them does. Their stat is not known; the next scan supplies it. A file at one of
// these paths stays: on a remote without directories it may be there beside what is beneath it.
func (e *Edit) addParents(path string) error {
	dir, name := snapshot.Split(path)
	if _, known := e.dirs[dir]; known {
		return CheckPath(name)
	}
	if err := CheckPath(path); err != nil {
		return err
	}
	for ; dir != ""; dir, _ = snapshot.Split(dir) {
		if _, known := e.dirs[dir]; known {
			return nil
		}
		was, err := lookup(e.Conn, dir)
		if err != nil || was != nil && was.Kind != snapshot.Dir {
			return err
		}
		e.dirs.add(dir)
		if was != nil {
			return nil
		}
		if err := e.addImplied(dir); err != nil {
			return err
		}
	}
	return nil
}

// addImplied adds the row of a directory of which nothing is known but that it exists.
func (e *Edit) addImplied(dir string) error {
	implied := &snapshot.Entry{Kind: snapshot.Dir}
	e.totals.count(implied, 1)
	return e.store(dir, implied)
}

// remove removes the row of path. What the base holds beneath path stays, under a directory of which
// nothing is known: on a remote without directories a file can go and leave that behind.
func (e *Edit) remove(path string, was *snapshot.Entry) error {
	parent, err := e.Prepare("SELECT 1 FROM base WHERE dir = ? LIMIT 1").Text(path).Exists()
	if err != nil || parent && was.Kind == snapshot.Dir {
		return err
	}
	e.totals.count(was, -1)
	if parent {
		return e.addImplied(path)
	}
	delete(e.dirs, path)
	dir, name := snapshot.Split(path)
	e.OutdatesViews()
	return e.Prepare("DELETE FROM base WHERE dir = ? AND name = ?").Text(dir).Text(name).Run()
}

func (e *Edit) moveBeneath(from, to string) error {
	if from == to || snapshot.Beneath(from, to) || snapshot.Beneath(to, from) {
		return fmt.Errorf("move %q to %q: one is beneath the other", from, to)
	}
	if err := e.removeBeneath(to); err != nil {
		return err
	}
	clear(e.dirs) // those beneath from as well
	e.OutdatesViews()
	for _, beneath := range rangesBeneath(from) {
		// substr counts characters in TEXT, which need not be UTF-8, so it works on the bytes.
		s := e.Prepare("UPDATE base SET dir = ? || CAST(substr(CAST(dir AS BLOB), ?) AS TEXT) WHERE " + beneath.where)
		if err := beneath.bind(s.Text(to).Int(int64(len(from)) + 1)).Run(); err != nil {
			return err
		}
	}
	return nil
}

// removeBeneath removes everything beneath dir.
func (e *Edit) removeBeneath(dir string) error {
	for _, beneath := range rangesBeneath(dir) {
		var was snapshot.Entry
		var n int
		if err := beneath.bind(e.Prepare("SELECT entry FROM base WHERE " + beneath.where)).Each(func(row database.Row) error {
			n++
			if err := row.ReadEntry(0, &was); err != nil {
				return database.Damaged("base beneath %q: %w", dir, err)
			}
			e.totals.count(&was, -1)
			return nil
		}); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		clear(e.dirs) // some of them were beneath dir
		e.OutdatesViews()
		if err := beneath.bind(e.Prepare("DELETE FROM base WHERE " + beneath.where)).Run(); err != nil {
			return err
		}
	}
	return nil
}

// pathRange is part of what is beneath a directory.
type pathRange struct {
	where string
	args  []string
}

// rangesBeneath returns the children of dir, whose dir is dir, and the rest, whose dir starts with dir and a slash; '0' is the
// byte after '/'. They are two, because SQLite would read the whole table for the two conditions joined with OR.
func rangesBeneath(dir string) [2]pathRange {
	return [...]pathRange{{"dir = ?", []string{dir}}, {"dir >= ? AND dir < ?", []string{dir + "/", dir + "0"}}}
}

func (r *pathRange) bind(s database.Stmt) database.Stmt {
	for _, v := range r.args {
		s = s.Text(v)
	}
	return s
}
