package enginetest

import (
	"errors"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// The sub-tests of what is done to paths that are there already.

func (s *suite) copy() {
	s.need(s.caps.Copy, "server-side copy")
	s.send("d/a", "content", day)
	e := snapshot.Entry{Kind: snapshot.File, Size: 7, Mtime: day.Add(time.Hour).UnixNano()}
	s.ok(s.Copy(s.ctx, "d/a", "e/b", e, nil))
	s.holds("e/b", "content", day.Add(time.Hour))
	s.holds("d/a", "content", day)

	s.send("old", "old", day)
	s.ok(s.Copy(s.ctx, "d/a", "old", e, nil))
	s.ok(s.Copy(s.ctx, "d/a", "old", e, nil))
	s.holds("old", "content", day.Add(time.Hour))
	s.is(s.Copy(s.ctx, "gone", "x", e, nil), remote.ErrNotFound)
	s.absent("x")

	s.send("d/a", "changed", day) // a copy is not another name for the same file
	s.holds("e/b", "content", day.Add(time.Hour))
	s.lists("d/a", "e/b", "old")
}

func (s *suite) moveFile() {
	s.need(s.caps.Move, "move")
	s.send("a", "content", day)
	s.ok(s.Move(s.ctx, "a", "d/e/b", false, nil))
	s.absent("a")
	s.holds("d/e/b", "content", day)
	s.ok(s.Move(s.ctx, "d/e/b", "d/c", false, nil))
	s.holds("d/c", "content", day)
	s.lists("d/c")
}

func (s *suite) moveReplaces() {
	s.need(s.caps.Move, "move")
	s.send("a", "new", day)
	s.send("d/b", "the old content", day.Add(-time.Hour))
	s.ok(s.Move(s.ctx, "a", "d/b", false, nil))
	s.holds("d/b", "new", day)
	s.lists("d/b")
}

func (s *suite) moveMissing() {
	s.need(s.caps.Move, "move")
	s.send("there", "x", day)
	s.is(s.Move(s.ctx, "gone", "there", false, nil), remote.ErrNotFound)
	s.is(s.Move(s.ctx, "no/such/dir", "d/new", false, nil), remote.ErrNotFound)
	s.holds("there", "x", day)
	s.lists("there")
	if s.caps.DirMove {
		s.is(s.Move(s.ctx, "gonedir", "newdir", true, nil), remote.ErrNotFound)
		s.lists("there")
	}
}

func (s *suite) moveOddNames() {
	s.need(s.caps.Move, "move")
	for i, name := range oddNames {
		if i%4 != 0 {
			continue
		}
		err := s.Send(s.ctx, name, Text("x", day))
		if errors.Is(err, remote.ErrInvalidName) {
			continue
		}
		s.ok(err)
		s.ok(s.Move(s.ctx, name, "d/"+name, false, nil))
		s.holds("d/"+name, "x", day)
	}
}

func (s *suite) moveDir() {
	s.need(s.caps.DirMove, "directory move")
	s.send("d/a", "1", day)
	s.send("d/e/b", "2", day)
	s.ok(s.Move(s.ctx, "d", "x/y", true, nil))
	s.absent("d")
	s.absent("d/a")
	s.holds("x/y/a", "1", day)
	s.holds("x/y/e/b", "2", day)
	s.ok(s.Move(s.ctx, "x/y/e", "e", true, nil))
	s.holds("e/b", "2", day)
	s.lists("x/y/a", "e/b")
	s.send("x/y/e/c", "3", day) // nothing remembers what moved away
	s.send("d/c", "4", day)
	s.lists("x/y/a", "x/y/e/c", "e/b", "d/c")
}

// moveDirOnto checks that directories are never merged. The engine does not do this; what does is
// another program that made the destination meanwhile.
func (s *suite) moveDirOnto() {
	s.need(s.caps.DirMove, "directory move")
	if c, ok := s.Connection.(*connection); ok {
		c.m.Lenient = true
	}
	s.send("d/a", "1", day)
	s.send("e/b", "2", day)
	if err := s.Move(s.ctx, "d", "e", true, nil); err == nil {
		s.Fatal("a directory was moved onto one that exists")
	}
	s.lists("d/a", "e/b")
}

func (s *suite) touch() {
	s.need(s.caps.SetModTime, "way to set an mtime")
	s.send("d/a", "content", day)
	e := snapshot.Entry{Kind: snapshot.File, Size: 7, Mtime: day.Add(48 * time.Hour).UnixNano()}
	s.ok(s.Touch(s.ctx, "d/a", e, nil))
	s.ok(s.Touch(s.ctx, "d/a", e, nil))
	s.holds("d/a", "content", day.Add(48*time.Hour))
	s.is(s.Touch(s.ctx, "gone", e, nil), remote.ErrNotFound)
	s.lists("d/a")
}

// another covers files that somebody else has replaced: nothing is done to them, and they get no other name.
func (s *suite) another() {
	was := snapshot.Entry{Kind: snapshot.File, Size: 7, Mtime: day.UnixNano()}
	e := snapshot.Entry{Kind: snapshot.File, Size: 7, Mtime: day.Add(time.Hour).UnixNano()}
	for path, now := range map[string]struct {
		content string
		mtime   time.Time
	}{
		"d/larger": {"another content", day},
		"d/later":  {"CONTENT", day.Add(24 * time.Hour)},
	} {
		if s.Blind || now.content == "CONTENT" && !s.caps.SetModTime {
			s.Logf("%q is not looked at here", path)
			continue
		}
		s.send(path, now.content, now.mtime)
		if s.caps.Copy {
			s.is(s.Copy(s.ctx, path, "copy", e, &was), remote.ErrNotFound)
		}
		if s.caps.Move {
			s.is(s.Move(s.ctx, path, "moved", false, &was), remote.ErrNotFound)
		}
		if s.caps.SetModTime {
			s.is(s.Touch(s.ctx, path, e, &was), remote.ErrNotFound)
		}
		s.absent("copy")
		s.absent("moved")
		s.holds(path, now.content, now.mtime)
	}
	s.send("same", "content", day)
	if s.caps.Copy {
		s.ok(s.Copy(s.ctx, "same", "copy", e, &was))
		s.holds("copy", "content", day.Add(time.Hour))
	}
	if s.caps.SetModTime {
		s.ok(s.Touch(s.ctx, "same", e, &was))
		s.ok(s.Touch(s.ctx, "same", was, &e))
		s.holds("same", "content", day)
	}
	if s.caps.Move {
		s.ok(s.Move(s.ctx, "same", "moved", false, &was))
		s.holds("moved", "content", day)
	}
}

func (s *suite) mkdir() {
	s.need(s.caps.EmptyDirs, "empty directories")
	s.ok(s.Mkdir(s.ctx, "d/e/f"))
	s.ok(s.Mkdir(s.ctx, "d/e/f"))
	r, err := s.Stat(s.ctx, "d/e/f")
	s.ok(err)
	s.matches(r, "d/e/f", snapshot.Dir, 0, time.Unix(0, 0))
	for _, dir := range []string{"d", "d/e", "d/e/f"} {
		if r, ok := s.list()[dir]; !ok || r.Entry.Kind != snapshot.Dir {
			s.Errorf("%q is not listed as a directory", dir)
		}
	}
}

func (s *suite) delete() {
	s.send("d/a", "1", day)
	s.send("d/b", "2", day)
	s.send("c", "3", day)
	paths := []string{"d/a", "gone", "no/such/dir", "c", "d/a"}
	for len(paths) > 0 {
		n := min(len(paths)-1, max(1, s.caps.DeleteBatch))
		n = max(n, 1)
		errs := s.Delete(s.ctx, paths[:n])
		if len(errs) != n {
			s.Fatalf("got %d results for %d paths", len(errs), n)
		}
		s.ok(errors.Join(errs...))
		paths = paths[n:]
	}
	s.lists("d/b")
}

func (s *suite) rmdir() {
	s.need(s.caps.EmptyDirs && !s.caps.BucketBased, "empty directories")
	s.send("d/e/a", "1", day)
	s.is(s.Rmdir(s.ctx, "d/e"), remote.ErrNotEmpty)
	s.is(s.Rmdir(s.ctx, "d"), remote.ErrNotEmpty)
	s.holds("d/e/a", "1", day)
	s.ok(errors.Join(s.Delete(s.ctx, []string{"d/e/a"})...))
	s.ok(s.Rmdir(s.ctx, "d/e"))
	s.ok(s.Rmdir(s.ctx, "d/e"))
	s.ok(s.Rmdir(s.ctx, "never/was/there"))
	s.absent("d/e")
	if _, ok := s.list()["d/e"]; ok {
		s.Error("a removed directory is listed")
	}
	s.send("d/e/b", "2", day) // it can come back
	s.lists("d/e/b")
}

func (s *suite) stat() {
	s.send("d/a", "content", day)
	s.holds("d/a", "content", day)
	s.absent("d/b")
	s.absent("d/a/b")
	s.absent("x/y")
	if !s.caps.BucketBased {
		r, err := s.Stat(s.ctx, "d")
		s.ok(err)
		s.matches(r, "d", snapshot.Dir, 0, time.Unix(0, 0))
	}
}

// hash covers what a listing cannot see: other content of the same size and mtime.
func (s *suite) hash() {
	for _, content := range []string{"content", "CONTENT", ""} {
		s.send("d/\u0308a", content, day)
		for range 2 {
			t, h, err := s.Hash(s.ctx, "d/\u0308a", snapshot.XXH3)
			s.ok(err)
			if want := sum(t, content); h != want {
				s.Errorf("%v of %q is %v, want %v", t, content, h, want)
			}
		}
	}
	if s.Links {
		s.ok(s.Send(s.ctx, "link", &Source{Content: []byte("target"), Mtime: day, Link: true}))
		t, h, err := s.Hash(s.ctx, "link", snapshot.XXH3)
		s.ok(err)
		if h != sum(t, "target") {
			s.Errorf("%v of a link is %v", t, h)
		}
	}
	for _, path := range []string{"d", "d/b", "x/y"} {
		_, _, err := s.Hash(s.ctx, path, snapshot.XXH3)
		s.is(err, remote.ErrNotFound)
	}
}

func (s *suite) cleanup() {
	s.ok(s.Connection.Cleanup(s.ctx, "d/never"))
	s.send("d/a", "content", day)
	s.ok(s.Connection.Cleanup(s.ctx, "d/a"))
	s.holds("d/a", "content", day)
	partial := remote.PartialName("d/b")
	s.send(partial, "what a crash left", day)
	r, ok := s.list()[partial]
	if !ok || !r.Temporary {
		s.Fatalf("a temporary name is listed as %+v", r)
	}
	s.ok(s.Connection.Cleanup(s.ctx, "d/b"))
	s.ok(s.Connection.Cleanup(s.ctx, "d/b"))
	if _, left := s.list()[partial]; left && s.caps.Move {
		s.Error("the temporary file is still there")
	}
}

// oneNames covers CaseInsensitive, FormInsensitive, EndInsensitive and NamesUnknown: which names are one is said, or what
// Stat finds after both were sent tells.
func (s *suite) oneNames() {
	for _, pair := range remote.ProbeNames() {
		first, second := pair.Names[0], pair.Names[1]
		s.send(first, "1", day)
		if err := s.Send(s.ctx, second, Text("22", day)); errors.Is(err, remote.ErrInvalidName) {
			s.ok(s.Delete(s.ctx, []string{first})[0])
			continue
		} else if err != nil {
			s.Fatal(err)
		}
		there, err := s.Stat(s.ctx, first)
		if err != nil {
			s.is(err, remote.ErrNotFound)
		}
		one := err != nil || there.Entry.Size != 1
		if listed := len(s.list()); listed != 2 && !one || listed != 1 && one {
			s.Errorf("%q and %q: %d are listed, and the first is found with %d bytes, %v", first, second, listed, there.Entry.Size, err)
		}
		if said := *pair.One(&s.caps); said != one && (said || !s.caps.NamesUnknown) {
			s.Errorf("%q and %q are one: %v, but %v is said", first, second, one, said)
		}
		for _, path := range pair.Names {
			s.ok(s.Delete(s.ctx, []string{path})[0])
		}
		s.lists()
	}
}
