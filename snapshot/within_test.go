//go:build unix

package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// within sets the scopes: those that end in a slash are Deep.
func (r *rig) within(places ...string) {
	r.cfg.Within = []Scope{}
	for _, place := range places {
		path, deep := strings.CutSuffix(place, "/")
		r.cfg.Within = append(r.cfg.Within, Scope{path, deep})
	}
}

func TestScanWithin(t *testing.T) {
	setup := []string{"a/b/x", "a/b/y", "a/z", "c", "d/", "e/f/g/h"}
	edit := func(r *rig) {
		r.write("a/b/x=edited", "a/b/new", "a/n/o/p", "c=edited")
		r.remove("a/b/y", "e")
		r.rename("d", "e") // keeps its inode in use
		r.write("d/i")
	}
	for _, test := range []struct {
		name   string
		within []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"the root itself", []string{""}, nil},
		{"everything", []string{"/", "c"}, []string{"+a/b/new", "~a/b/x", "-a/b/y", "+a/n/", "+a/n/o/", "+a/n/o/p", "~c", "~d/", "+d/i",
			"~e/", "-e/f/", "-e/f/g/", "-e/f/g/h"}},
		{"what did not change", []string{"a/z", "a"}, nil},
		{"what never was", []string{"q", "q/r", "a/q/", "c/q"}, []string{"~c"}},
		{"files", []string{"c", "a/b/x", "a/b/y", "a/b/new"}, []string{"+a/b/new", "~a/b/x", "-a/b/y", "~c"}},
		{"the same twice", []string{"c", "a/b/x", "c"}, []string{"~a/b/x", "~c"}},
		{"a directory that the base has", []string{"a/b"}, nil},
		{"the same with all beneath", []string{"a/b/", "a/b/x"}, []string{"+a/b/new", "~a/b/x", "-a/b/y"}},
		{"another directory than the base has", []string{"d"}, []string{"~d/"}},
		{"the same with all beneath", []string{"d/"}, []string{"~d/", "+d/i"}},
		{"a new directory", []string{"a/n"}, []string{"+a/n/", "+a/n/o/", "+a/n/o/p"}},
		{"a file in new directories", []string{"a/n/o/p"}, []string{"+a/n/", "+a/n/o/", "+a/n/o/p"}},
		{"nothing in a new directory", []string{"a/n/q"}, []string{"+a/n/", "+a/n/o/", "+a/n/o/p"}},
		{"a removed directory", []string{"e/f"}, []string{"-e/f/", "-e/f/g/", "-e/f/g/h"}},
		{"a file in removed directories", []string{"e/f/g/h"}, []string{"-e/f/", "-e/f/g/", "-e/f/g/h"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachSystem(t, func(t *testing.T, r *rig) {
				r.write(setup...)
				r.sync()
				edit(r)
				r.within(test.within...)
				r.expect(test.want...)
				r.sync()
				r.expect()
			})
		})
	}
}

func TestScanWithinAnotherKind(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Links = KeepLinks
		r.write("dir/sub/f", "dir/g", "file", "link/f")
		r.sync()
		r.remove("dir", "file", "link")
		r.write("dir", "file/sub/f", "file/g")
		r.link("file", "link")
		r.within("dir/sub/f")
		r.expect("~dir d", "-dir/g", "-dir/sub/", "-dir/sub/f")
		r.within("file/g")
		r.expect("~file/ f", "+file/g", "+file/sub/", "+file/sub/f")
		r.within("file")
		r.expect("~file/ f", "+file/g", "+file/sub/", "+file/sub/f")
		r.within("link/g/h")
		r.expect("~link d", "-link/f")
		r.cfg.Links = SkipLinks
		r.expect("-link/", "-link/f", "^link")
		r.within("link/f")
		r.expect("-link/", "-link/f", "^link")
		r.within("link")
		r.expect("-link/", "-link/f", "^link")
	})
}

// TestScanWithinLooksNowhereElse: neither the source nor the base is read but for what is asked for.
func TestScanWithinLooksNowhereElse(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Filter = rules{}
		r.write("a/b/x", "a/b/y", "a/c/z", "d/e/f", "g")
		r.sync()
		r.write("a/b/x=edited", "a/b/new")
		r.remove("d/e/f")
		look := func(places ...string) *Head {
			t.Helper()
			r.faults.opened = nil
			r.within(places...)
			head := r.scan()
			if r.last.rows != 0 || r.last.all != 1 {
				t.Errorf("%q: read %d rows of the base with %d cursors", places, r.last.rows, r.last.all)
			}
			return head
		}
		head := look("a/b/x", "d/e/f", "g", "a/q/q")
		if want := []string{"", "a", "a/b", "d", "d/e"}; !slices.Equal(r.faults.opened, want) {
			t.Errorf("opened %q, want %q", r.faults.opened, want)
		}
		if want := (Stats{Files: 2, Bytes: 7}); head.Stats != want {
			t.Errorf("stats are %+v, want %+v", head.Stats, want)
		}
		head = look("a/b")
		if want := []string{"", "a", "a/b"}; !slices.Equal(r.faults.opened, want) {
			t.Errorf("opened %q, want %q", r.faults.opened, want)
		}
		if want := (Stats{Dirs: 1}); head.Stats != want {
			t.Errorf("stats are %+v, want %+v", head.Stats, want)
		}
	})
}

// TestScanWithinManyPlaces: more than one worker is worth while.
func TestScanWithinManyPlaces(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Workers = 3
		var scopes, want []string
		for d := range 3 * aloneMax {
			path := fmt.Sprintf("d%03d/f", d)
			r.write(path)
			scopes, want = append(scopes, path), append(want, "~"+path)
		}
		r.sync()
		for _, path := range scopes {
			r.write(path + "=edited")
		}
		r.within(scopes...)
		r.expect(want...)
		if r.last.all != 3 {
			t.Errorf("%d workers were at it, want 3", r.last.all)
		}
		r.within("d000/f", "d001/f")
		r.expect(want[:2]...)
		if r.last.all != 1 {
			t.Errorf("%d workers were at it, want 1", r.last.all)
		}
	})
}

func TestScanWithinFlags(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/racy", "d/kept", "d/same", "gone/kept", "gone/f")
		r.sync()
		r.flag(Racy, "d/racy")
		r.flag(Retained, "d/kept", "gone/kept")
		r.flag(Adopted, "d")
		r.remove("gone")
		r.within("d/racy", "d/kept", "d/same")
		r.expect("~d/kept", "~d/racy")
		r.within("d")
		r.expect("~d/")
		r.within("gone/f")
		r.expect("-gone/", "-gone/f")
		r.cfg.Mirror = true
		r.expect("-gone/", "-gone/f", "-gone/kept")
		r.cfg.Checksum = true
		r.within("d/same")
		r.expect("~d/same")
	})
}

func TestScanWithinFilters(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("a/no/f", "a/x.no", "a/y", "m/sub/f", "m/g", "no/f", "n/h")
		r.sync()
		r.cfg.Filter = rules{asked: func(path string) {
			if Beneath(path, "no") || Beneath(path, "a/no") {
				t.Errorf("looked at %q, beneath a pruned directory", path)
			}
		}}
		r.write("m/.skip", "m/sub/f=edited", "m/g=edited", "a/y=edited", "no/f=edited", "n/h=edited")
		r.remove("a/no/f", "a/x.no")
		r.within("m/sub/f", "m/g", "m/i", "a/no/f", "a/x.no", "a/y", "no/f", "n/h")
		r.expect("~a/y", "~n/h")
		r.within("m/.skip")
		r.expect() // it does not exist now
		r.remove("m/.skip")
		r.expect("~m/g", "~m/sub/f") // and what was not looked at meanwhile has its turn
		r.write(".skip")
		r.within("a/y")
		r.expect()
	})
}

func TestScanWithinFollowsLinks(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Links = FollowLinks
		r.write("a/sub/f")
		r.link("a", "link")
		r.link("..", "a/loop")
		r.expect("+a/", "+a/sub/", "+a/sub/f", "+link/", "+link/sub/", "+link/sub/f", "!a/loop", "!link/loop")
		r.sync()
		r.write("a/sub/f=edited")
		r.within("link/sub/f")
		r.expect("~link/sub/f")
		r.within("a/loop/link/sub/f")
		r.expect("!a/loop")
	})
}

func TestScanWithinUnreadable(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/sub/f", "d/sub/g", "d/g", "d/h", "e/f", "e/g", "s/dir/f", "s/dir/g", "s/file")
		r.sync()
		r.remove("d/g", "e/g")
		r.faults.openErr = map[string]error{"d": syscall.EACCES}
		r.faults.statErr = map[string]error{"s/dir": syscall.EACCES, "s/file": syscall.EIO}
		r.faults.lookupErr = map[string]error{"e/g": syscall.EIO}
		r.within("d/g", "d/sub/f", "d/new", "e/f", "e/g", "s/dir/f", "s/file")
		head := r.expect("!d", "!e/g", "!s/dir", "!s/file", "?d 2", "?e/g 1", "?s/dir 1", "?s/file 1")
		for _, u := range head.Unproven {
			if u.Mount {
				t.Errorf("it could not be read, but unproven is %+v", u)
			}
		}
		if u := head.Unproven[0]; u.Reason != "permission denied" {
			t.Errorf("unproven is %+v", u)
		}
		r.within("d")
		r.expect("!d", "?d 0")
		r.faults = faults{openErr: map[string]error{"": syscall.EACCES}}
		if _, err := r.tryScan(t.Context()); !errors.Is(err, ErrSourceGone) {
			t.Errorf("scan of an unreadable root: %v", err)
		}
	})
}

func TestScanWithinForbidden(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root: may look anywhere")
	}
	eachSystem(t, func(t *testing.T, r *rig) {
		r.cfg.Filter = rules{}
		r.write("d/f", "d/gone", "d/sub/g", "d/sub/h", "n/f", "n/g", "s/f")
		r.sync()
		r.remove("d/gone")
		r.write("d/added", "s/.skip")
		for path, mode := range map[string]os.FileMode{"d": 0o444, "n": 0, "s": 0o444} {
			r.must(os.Chmod(r.at(path), mode))
			t.Cleanup(func() { os.Chmod(r.at(path), 0o755) })
		}
		r.expect("!d/added", "!d/f", "!d/gone", "!d/sub", "!n", "?d/f 1", "?d/gone 1", "?d/sub 2", "?n 2")
		// Names can be listed where they cannot be looked up: what never was is no problem, and a marker counts.
		r.within("d/added", "d/f", "d/gone", "d/never", "d/sub/g", "n/f", "n/never", "s/f", "s/never")
		r.expect("!d/added", "!d/f", "!d/gone", "!d/sub", "!n", "?d/f 1", "?d/gone 1", "?d/sub 1", "?n 1")
	})
}

func TestScanWithinVanishing(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/a", "f/g", "h/i", "o/p", "r/s", "u/v")
		r.sync()
		r.faults.afterOpen = map[string]func(){
			"o": func() { r.remove("o") },
		}
		r.faults.afterList = map[string]func(){"d": func() { r.remove("d/a") }}
		r.faults.beforeOpen = map[string]func(){
			"f": func() { r.remove("f"); r.write("f") },
			"h": func() { r.rename("h", "k"); r.link("k", "h") },
			"r": func() { r.rename("r", "was"); r.write("r/") },
			"u": func() { r.remove("u") },
		}
		r.within("d/a", "f/g", "h/i", "o/p", "r/s", "u/v")
		r.expect() // the looks that would prove it were taken before
		r.within("d/a", "f/g", "o/p", "r/s", "u/v")
		r.expect("-d/a", "~f d", "-f/g", "-o/", "-o/p", "-r/s", "-u/", "-u/v")
	})
}

func TestScanWithinReappearing(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("d/a", "e/f")
		r.sync()
		r.remove("d/a", "e")
		r.faults.beforeLookup = map[string]func(){
			"d/a": func() { r.write("d/a") },
			"e":   func() { r.write("e/f") },
		}
		r.within("d/a", "e/f")
		r.expect()
	})
}

func TestScanWithinOddNames(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		long := strings.Repeat("n", 255)
		odd := []string{"new\nline", " ", "\xff\xfe", "é", "*?[", long}
		r.write(odd...)
		r.write("f")
		r.within(odd...)
		if head := r.scan(); len(head.Changes) != len(odd) {
			t.Errorf("found %q", describe(head))
		}
		r.sync()
		r.expect()
		// Names that no file can have, and paths that lead out.
		r.base["a\x00b"] = Entry{Kind: File, Flags: Adopted}
		r.base["n"+long] = Entry{Kind: File, Flags: Adopted}
		r.within("a\x00b", "f\x00b", "n"+long, "..", "../"+filepath.Base(r.cfg.Root)+"/f", "./f", "/f", "x/../f")
		r.expect("-a\x00b", "-n"+long)
	})
}

// folding is a directory in which case does not count, over one in which it does. It is native in that it
// picks as that one would where looking up a name says little.
type folding struct {
	directory
	chosen []int // of what was listed; nil: all
}

func (d *folding) list() (int, error) {
	d.chosen = nil
	return d.directory.list()
}

func (d *folding) pick(names []string) (int, error) {
	n, err := d.list()
	d.chosen = choose(d, n, names)
	return len(d.chosen), err
}

func (d *folding) name(i int) []byte            { return d.directory.name(d.at(i)) }
func (d *folding) stat(i int, e *Entry) error   { return d.directory.stat(d.at(i), e) }
func (d *folding) follow(i int, e *Entry) error { return d.directory.follow(d.at(i), e) }

func (d *folding) at(i int) int {
	if d.chosen != nil {
		return d.chosen[i]
	}
	return i
}

func (d *folding) lookup(name []byte) error {
	if err := d.directory.lookup(bytes.ToLower(name)); err == nil {
		return nil
	}
	return d.directory.lookup(bytes.ToUpper(name))
}

func TestScanWithinCaseDoesNotCount(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		open := r.open
		r.open = func(root string, links bool) (directory, error) {
			d, err := open(root, links)
			return &folding{directory: d}, err
		}
		r.write("readme", "dir/f", "notes", "other")
		r.sync()
		r.expect()
		r.rename("readme", "README")
		r.rename("dir", "DIR")
		r.remove("notes")
		for _, look := range []struct {
			within []string
			want   []string
		}{
			{[]string{"readme"}, []string{"+README", "-readme"}},
			{[]string{"README"}, []string{"+README"}},
			{[]string{"Readme", "other", "OTHER", "NOTES"}, []string{"+README"}},
			{[]string{"dir/f"}, []string{"+DIR/", "+DIR/f", "-dir/", "-dir/f"}},
			{[]string{"DIR/F"}, []string{"+DIR/", "+DIR/f"}},
			{[]string{"NOTES", "notes"}, []string{"-notes"}},
		} {
			r.within(look.within...)
			r.expect(look.want...)
		}
		r.within("/")
		r.sync()
		r.within("readme", "Dir/F", "dir")
		r.expect()
		if r.last.rows != 0 {
			t.Errorf("read %d rows of the base", r.last.rows)
		}
	})
}

func TestScanWithinCaseCounts(t *testing.T) {
	// Names that differ in case alone make the native directory read all of them, and no more than that.
	eachSystem(t, func(t *testing.T, r *rig) {
		r.write("readme", "other")
		if _, err := os.Stat(r.at("README")); err == nil {
			t.Skip("case does not count here")
		}
		r.sync()
		r.write("README", "new", "NEW", "other=edited")
		r.within("new", "readme", "gone")
		r.expect("+new")
		r.remove("readme")
		r.expect("+new", "-readme")
		r.within("README", "readme")
		r.expect("+README", "-readme")
	})
}
