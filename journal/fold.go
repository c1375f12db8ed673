package journal

import (
	"fmt"

	"github.com/snapsync/snapsync/snapshot"
)

// maxKnownDirs bounds the memory of directories that have a row.
const maxKnownDirs = 4096

// get reads the base at path into e and reports whether it holds anything there.
func (t *transaction) get(path string, e *snapshot.Entry) (bool, error) {
	s, err := prepare(t.Conn, "SELECT entry FROM base WHERE dir = ? AND name = ?")
	if err != nil {
		return false, err
	}
	dir, name := snapshot.Split(path)
	s.text(dir)
	s.text(name)
	found, err := s.Step()
	if err != nil || !found {
		return false, err
	}
	n := s.ColumnBytes(0, t.row[:])
	if n != s.ColumnLen(0) {
		n = 0 // longer than any entry
	}
	s.Reset()
	if err := unpack(t.row[:n], e); err != nil {
		return false, damaged("base of %q: %w", path, err)
	}
	return true, nil
}

// put makes the base hold e at path, adding rows for the directories that lead there.
func (t *transaction) put(path string, e *snapshot.Entry) error {
	was, err := t.lookup(path)
	if err != nil {
		return err
	}
	return t.replace(path, was, e)
}

// lookup is get with a result of its own: nil for nothing.
func (t *transaction) lookup(path string) (*snapshot.Entry, error) {
	e := new(snapshot.Entry)
	if found, err := t.get(path, e); err != nil || !found {
		return nil, err
	}
	return e, nil
}

// replace makes the base hold now at path instead of was. Either may be nil.
func (t *transaction) replace(path string, was, now *snapshot.Entry) error {
	switch {
	case now == nil && was == nil:
		return nil
	case now == nil:
		return t.drop(path, was)
	}
	if err := now.Validate(); err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	if was != nil {
		t.totals.count(was, -1)
	} else if err := t.addParents(path); err != nil {
		return err
	}
	if now.Kind != snapshot.Dir {
		delete(t.j.dirs, path)
		if was != nil && was.Kind == snapshot.Dir {
			// A bucket has no directories to delete: their rows go with the one above them.
			if err := t.dropBeneath(path); err != nil {
				return err
			}
		}
	}
	t.totals.count(now, 1)
	return t.store(path, now)
}

// insert is replace of nothing, if there is nothing; otherwise it reports false and does nothing.
func (t *transaction) insert(path string, e *snapshot.Entry) (bool, error) {
	if err := e.Validate(); err != nil {
		return false, fmt.Errorf("%q: %w", path, err)
	}
	if err := t.addParents(path); err != nil {
		return false, err
	}
	err := t.storeWith("INSERT INTO base (dir, name, entry) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", path, e)
	if err != nil || t.Changes() == 0 {
		return false, err
	}
	t.totals.count(e, 1)
	return true, nil
}

// store writes a row and nothing else.
func (t *transaction) store(path string, e *snapshot.Entry) error {
	return t.storeWith("REPLACE INTO base (dir, name, entry) VALUES (?, ?, ?)", path, e)
}

func (t *transaction) storeWith(text, path string, e *snapshot.Entry) error {
	s, err := prepare(t.Conn, text)
	if err != nil {
		return err
	}
	dir, name := snapshot.Split(path)
	s.text(dir)
	s.text(name)
	s.blob(t.row.pack(e))
	t.base = true
	return s.run()
}

// addParents makes sure that every directory above path has a row: on the remote they exist, since
// something beneath them does. Their stat is not known; the next scan supplies it. A file at one of
// these paths stays: on a remote without directories it may be there beside what is beneath it.
func (t *transaction) addParents(path string) error {
	dir, name := snapshot.Split(path)
	if _, known := t.j.dirs[dir]; known {
		return checkPath(name)
	}
	if err := checkPath(path); err != nil {
		return err
	}
	for ; dir != ""; dir, _ = snapshot.Split(dir) {
		if _, known := t.j.dirs[dir]; known {
			return nil
		}
		var e snapshot.Entry
		found, err := t.get(dir, &e)
		if err != nil {
			return err
		}
		if found && e.Kind != snapshot.Dir {
			return nil
		}
		t.know(dir)
		if found {
			return nil
		}
		implied := &snapshot.Entry{Kind: snapshot.Dir}
		t.totals.count(implied, 1)
		if err := t.store(dir, implied); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) know(dir string) {
	if len(t.j.dirs) >= maxKnownDirs {
		clear(t.j.dirs)
	}
	t.j.dirs[dir] = struct{}{}
}

// remove makes the base hold nothing at path.
func (t *transaction) remove(path string) error {
	was, err := t.lookup(path)
	if err != nil || was == nil {
		return err
	}
	return t.drop(path, was)
}

// drop removes the row of path. What the base holds beneath path stays, under a directory of which
// nothing is known: on a remote without directories a file can go and leave that behind.
func (t *transaction) drop(path string, was *snapshot.Entry) error {
	beneath, err := t.hasChildren(path)
	if err != nil {
		return err
	}
	if beneath && was.Kind == snapshot.Dir {
		return nil
	}
	t.totals.count(was, -1)
	if beneath {
		implied := &snapshot.Entry{Kind: snapshot.Dir}
		t.totals.count(implied, 1)
		return t.store(path, implied)
	}
	delete(t.j.dirs, path)
	s, err := prepare(t.Conn, "DELETE FROM base WHERE dir = ? AND name = ?")
	if err != nil {
		return err
	}
	dir, name := snapshot.Split(path)
	s.text(dir)
	s.text(name)
	t.base = true
	return s.run()
}

func (t *transaction) hasChildren(dir string) (bool, error) {
	s, err := prepare(t.Conn, "SELECT 1 FROM base WHERE dir = ? LIMIT 1")
	if err != nil {
		return false, err
	}
	s.text(dir)
	found, err := s.Step()
	if err == nil {
		err = s.Reset()
	}
	return found, err
}

// rekey moves everything beneath from to beneath to. The remote renames a directory only to a path
// that does not exist, so what the base holds beneath to is known to be false, and goes.
func (t *transaction) rekey(from, to string) error {
	if from == to || snapshot.Beneath(from, to) || snapshot.Beneath(to, from) {
		return fmt.Errorf("move %q to %q: one is beneath the other", from, to)
	}
	if err := t.dropBeneath(to); err != nil {
		return err
	}
	clear(t.j.dirs) // those beneath from as well
	// substr counts characters in TEXT, which need not be UTF-8, so it works on the bytes.
	const set = "UPDATE base SET dir = ?1 || CAST(substr(CAST(dir AS BLOB), ?2) AS TEXT) WHERE "
	t.base = true
	return t.eachRange(set, from, func(s *stmt) error {
		s.text(to)
		s.int(int64(len(from)) + 1)
		return nil
	}, nil)
}

// dropBeneath removes everything beneath dir.
func (t *transaction) dropBeneath(dir string) error {
	var e snapshot.Entry
	var n int
	err := t.eachRange("SELECT entry FROM base WHERE ", dir, nil, func(s *stmt) error {
		n++
		s.ColumnBytes(0, t.row[:])
		if err := unpack(t.row[:], &e); err != nil {
			return damaged("base beneath %q: %w", dir, err)
		}
		t.totals.count(&e, -1)
		return nil
	})
	if err != nil || n == 0 {
		return err
	}
	clear(t.j.dirs) // some of them were beneath dir
	return t.eachRange("DELETE FROM base WHERE ", dir, nil, nil)
}

// eachRange runs a statement for the rows beneath dir: its children, whose dir is dir, and the rest,
// whose dir starts with dir and a slash; '0' is the byte after '/'. Two statements, because SQLite
// would read the whole table for the two conditions joined with OR.
func (t *transaction) eachRange(text, dir string, bind, row func(*stmt) error) error {
	for _, r := range []struct {
		where string
		args  []string
	}{
		{"dir = ?3", []string{dir}},
		{"dir >= ?3 AND dir < ?4", []string{dir + "/", dir + "0"}},
	} {
		s, err := prepare(t.Conn, text+r.where)
		if err != nil {
			return err
		}
		if bind != nil {
			if err := bind(&s); err != nil {
				return err
			}
		}
		for i, a := range r.args {
			s.BindText(3+i, a)
		}
		if err := s.each(func() error {
			if row == nil {
				return nil
			}
			return row(&s)
		}); err != nil {
			return err
		}
	}
	return nil
}

// checkPath reports a path that is not one: only our own mistakes lead here.
func checkPath(path string) error {
	for rest := path; ; {
		dir, name := snapshot.Split(rest)
		if name == "" || name == "." || name == ".." {
			return fmt.Errorf("path %q: not a relative path of names", path)
		}
		if dir == "" && len(rest) == len(name) {
			return nil
		}
		rest = dir
	}
}
