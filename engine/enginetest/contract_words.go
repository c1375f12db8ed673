package enginetest

import (
	"errors"
	"slices"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// The words that the sub-tests are written in: do something that must succeed, or look and compare.

func (s *suite) send(path, content string, mtime time.Time) {
	s.Helper()
	s.ok(s.Send(s.ctx, path, Text(content, mtime)))
}

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) is(err, class error) {
	s.Helper()
	if !errors.Is(err, class) {
		s.Fatalf("got error %v, want class %q", err, class)
	}
}

// holds checks kind, size, mtime and content of a file.
func (s *suite) holds(path, content string, mtime time.Time) {
	s.Helper()
	r, err := s.Stat(s.ctx, path)
	s.ok(err)
	s.matches(r, path, snapshot.File, int64(len(content)), mtime)
	got, err := s.Read(path)
	s.ok(err)
	if string(got) != content {
		s.Fatalf("%q holds %.60q (%d bytes), want %.60q (%d bytes)", path, got, len(got), content, len(content))
	}
}

func (s *suite) matches(r remote.Object, path string, kind snapshot.Kind, size int64, mtime time.Time) {
	s.Helper()
	if r.Path != path || r.Entry.Kind != kind || r.Entry.Size != size || r.Entry.Flags != snapshot.Adopted {
		s.Fatalf("got %q, %v with %d bytes, flags %d; want %q, %v with %d bytes, adopted",
			r.Path, r.Entry.Kind, r.Entry.Size, r.Entry.Flags, path, kind, size)
	}
	if err := r.Entry.Validate(); err != nil {
		s.Fatal(err)
	}
	if p := s.caps.Precision; p > 0 && r.Entry.ModTime().Sub(mtime).Abs() >= max(p, 1) {
		s.Fatalf("%q has mtime %v, want %v within %v", path, r.Entry.ModTime().UTC(), mtime, p)
	}
}

func (s *suite) absent(path string) {
	s.Helper()
	_, err := s.Stat(s.ctx, path)
	s.is(err, remote.ErrNotFound)
}

// list returns what List shows, by path.
func (s *suite) list() map[string]remote.Object {
	s.Helper()
	all := map[string]remote.Object{}
	s.ok(s.List(s.ctx, func(r remote.Object) error {
		if _, twice := all[r.Path]; twice {
			s.Errorf("%q is listed twice", r.Path)
		}
		all[r.Path] = r
		return nil
	}))
	return all
}

// lists checks that List shows exactly these files.
func (s *suite) lists(want ...string) {
	s.Helper()
	var got []string
	for path, r := range s.list() {
		if r.Entry.Kind != snapshot.Dir {
			got = append(got, path)
		}
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	for _, path := range want {
		if !slices.Contains(got, path) {
			s.Errorf("%q is not listed", path)
		}
	}
	for _, path := range got {
		if !slices.Contains(want, path) {
			s.Errorf("%q is listed", path)
		}
	}
	if s.Failed() {
		s.FailNow()
	}
}

func (s *suite) need(can bool, what string) {
	if !can {
		s.Skipf("this remote has no %s", what)
	}
}
