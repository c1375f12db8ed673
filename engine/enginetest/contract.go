package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/snapshot"
)

// Subject is a Connection to a remote that is empty and that nobody else uses.
type Subject struct {
	remote.Connection
	// Read returns the content of a file on the remote by other means than the Connection.
	Read func(path string) ([]byte, error)
	// Links says that the Connection was opened with --links.
	Links bool
	// Blind says that the Connection does not look at a file that it moves or touches.
	Blind bool
	// NoControl says that the remote's listings cannot show control characters, as XML 1.0 cannot:
	// those of S3, unless the server quotes them in the way that its client expects.
	NoControl bool
}

// Contract tests that what open returns keeps every promise of remote.Connection's comments. open is
// called once for each sub-test, registers its own clean-up and need not create the remote's root.
func Contract(t *testing.T, open func(t *testing.T) Subject) {
	for _, sentence := range []struct {
		name string
		test func(s *suite)
	}{
		{"MissingRootIsEmpty", (*suite).missingRoot},
		{"SendCreates", (*suite).sendCreates},
		{"SendReplaces", (*suite).sendReplaces},
		{"SendTwice", (*suite).sendTwice},
		{"SendTornShowsOld", (*suite).sendTorn},
		{"SendHidesPart", (*suite).sendHidesPart},
		{"SendEmpty", (*suite).sendEmpty},
		{"SendLarge", (*suite).sendLarge},
		{"SendLink", (*suite).sendLink},
		{"SendCancelled", (*suite).sendCancelled},
		{"Mtimes", (*suite).mtimes},
		{"OddNames", (*suite).oddNames},
		{"LongNames", (*suite).longNames},
		{"NamesThatMayBeOne", (*suite).oneNames},
		{"ListComplete", (*suite).listComplete},
		{"ListStops", (*suite).listStops},
		{"Copy", (*suite).copy},
		{"MoveFile", (*suite).moveFile},
		{"MoveFileReplaces", (*suite).moveReplaces},
		{"MoveMissing", (*suite).moveMissing},
		{"MoveOddNames", (*suite).moveOddNames},
		{"MoveDir", (*suite).moveDir},
		{"MoveDirOntoExisting", (*suite).moveDirOnto},
		{"Touch", (*suite).touch},
		{"Another", (*suite).another},
		{"Mkdir", (*suite).mkdir},
		{"Delete", (*suite).delete},
		{"Rmdir", (*suite).rmdir},
		{"Stat", (*suite).stat},
		{"Hash", (*suite).hash},
		{"Cleanup", (*suite).cleanup},
		{"Concurrent", (*suite).concurrent},
		{"Cancelled", (*suite).cancelled},
		{"Probe", (*suite).probe},
	} {
		t.Run(sentence.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			sentence.test(&suite{T: t, Subject: s, ctx: t.Context(), caps: s.Caps()})
		})
	}
}

// suite is one sub-test's Connection with the words that the tests are written in.
type suite struct {
	*testing.T
	Subject
	ctx  context.Context
	caps remote.Caps
}

// day is a time with a full set of digits.
var day = time.Date(2021, 3, 4, 5, 6, 7, 123456789, time.UTC)

func (s *suite) missingRoot() {
	s.lists()
	s.absent("a")
	s.absent("d/a")
}

func (s *suite) sendCreates() {
	s.send("a", "one", day)
	s.holds("a", "one", day)
	s.send("d/e/f/a", "deep", day)
	s.holds("d/e/f/a", "deep", day)
	s.lists("a", "d/e/f/a")
}

func (s *suite) sendReplaces() {
	s.send("d/a", "a longer first content", day)
	s.send("d/a", "second", day.Add(time.Hour))
	s.holds("d/a", "second", day.Add(time.Hour))
	s.lists("d/a")
}

func (s *suite) sendTwice() {
	src := Text("same", day)
	s.ok(s.Send(s.ctx, "a", src))
	s.ok(s.Send(s.ctx, "a", src))
	if src.Opened != 2 {
		s.Errorf("the source was opened %d times for two sends", src.Opened)
	}
	s.holds("a", "same", day)
	s.lists("a")
}

// sendTorn covers "the old content, or nothing, is visible: never a part" and ErrChanged.
func (s *suite) sendTorn() {
	s.send("old", "old content", day)
	for _, size := range []int{100, 300_000} {
		content := bytes.Repeat([]byte("x"), size)
		for _, at := range []int{0, size / 2, size - 1} {
			for _, path := range []string{"old", "d/new"} {
				src := &Source{Content: content, Mtime: day.Add(time.Hour), FailAt: at, FailWith: snapshot.ErrChanged}
				s.is(s.Send(s.ctx, path, src), snapshot.ErrChanged)
			}
		}
	}
	s.holds("old", "old content", day)
	s.absent("d/new")
	for path, r := range s.list() {
		if r.Entry.Kind == snapshot.File && path != "old" && !r.Temporary {
			s.Errorf("%q was left behind and is not marked as temporary", path)
		}
	}
	s.send("d/new", "whole", day)
	s.holds("d/new", "whole", day)
	s.lists("old", "d/new")
}

// sendHidesPart looks at the path while its content is on the way.
func (s *suite) sendHidesPart() {
	if _, inMemory := s.Connection.(*connection); inMemory {
		s.Skip("a Memory has no moment in between, and forbids the look")
	}
	s.send("a", "old", day)
	looked := 0
	src := &Source{Content: bytes.Repeat([]byte("new"), 400_000), Mtime: day.Add(time.Hour), Chunk: 64 << 10}
	reads := 0
	src.OnRead = func() {
		if reads++; reads%8 != 7 {
			return
		}
		looked++
		if got, err := s.Read("a"); err != nil || string(got) != "old" {
			s.Errorf("half-way through a send %.20q, %v is visible", got, err)
		}
	}
	s.ok(s.Send(s.ctx, "a", src))
	if looked == 0 {
		s.Error("the source was not read in pieces")
	}
	s.holds("a", string(src.Content), day.Add(time.Hour))
	s.lists("a")
}

func (s *suite) sendEmpty() {
	err := s.Send(s.ctx, "empty", Text("", day))
	if errors.Is(err, remote.ErrInvalidName) {
		s.Skip("this remote cannot hold empty files, and says so")
	}
	s.ok(err)
	s.holds("empty", "", day)
}

func (s *suite) sendLarge() {
	content := make([]byte, 12<<20+17)
	for i := range content {
		content[i] = byte(i * 7 >> 8)
	}
	src := &Source{Content: content, Mtime: day}
	s.ok(s.Send(s.ctx, "large", src))
	if src.Opened != 1 {
		s.Errorf("the source was read %d times", src.Opened)
	}
	s.holds("large", string(content), day)
}

func (s *suite) sendLink() {
	s.need(s.Links, "links")
	for _, target := range []string{"target", "../up/and/away", "other"} {
		s.ok(s.Send(s.ctx, "d/link", &Source{Content: []byte(target), Mtime: day, Link: true}))
		r, err := s.Stat(s.ctx, "d/link")
		s.ok(err)
		s.matches(r, "d/link", snapshot.Symlink, int64(len(target)), day)
	}
	r, mtime := s.list()["d/link"], day
	if r.Entry.Mtime == 0 && r.Entry.HashType != snapshot.NoHash {
		mtime = time.Unix(0, 0) // as in listComplete
	}
	s.matches(r, "d/link", snapshot.Symlink, 5, mtime)
	if s.caps.Move {
		s.ok(s.Move(s.ctx, "d/link", "moved", false, nil))
		s.lists("moved")
		s.ok(errors.Join(s.Delete(s.ctx, []string{"moved"})...))
	} else {
		s.ok(errors.Join(s.Delete(s.ctx, []string{"d/link"})...))
	}
	s.lists()
}

// sendCancelled covers "every method returns soon after ctx is done" where it is hardest.
func (s *suite) sendCancelled() {
	s.send("a", "old", day)
	ctx, cancel := context.WithCancel(s.ctx)
	src := &Source{Content: bytes.Repeat([]byte("new"), 400_000), Mtime: day, Chunk: 1000}
	reads := 0
	src.OnRead = func() {
		if reads++; reads == 20 {
			cancel()
		}
	}
	began := time.Now()
	err := s.Send(ctx, "a", src)
	if _, inMemory := s.Connection.(*connection); !inMemory || err != nil {
		s.is(err, context.Canceled)
	}
	if took := time.Since(began); took > 10*time.Second {
		s.Errorf("a cancelled send took %v", took)
	}
	s.holds("a", "old", day)
}

func (s *suite) mtimes() {
	s.need(s.caps.Precision > 0, "mtimes")
	for i, mtime := range []time.Time{
		time.Date(1971, 1, 1, 0, 0, 1, 0, time.UTC),
		time.Date(2000, 2, 29, 23, 59, 59, 999999999, time.UTC),
		time.Date(2037, 12, 31, 12, 0, 0, 500000000, time.UTC),
		time.Now().Add(-time.Second),
	} {
		path := fmt.Sprintf("m%d", i)
		s.send(path, "content", mtime)
		s.holds(path, "content", mtime)
		if r := s.list()[path]; r.Entry.Mtime != 0 {
			s.matches(r, path, snapshot.File, 7, mtime)
		} else if s.caps.Hash == snapshot.NoHash {
			s.Errorf("%q is listed without an mtime and without a hash", path)
		}
	}
}

// Names that file systems allow and that something between us and the remote may stumble over.
var oddNames = []string{
	"a new\nline", `quotes " ' and \ back`, "tab\tand\x01control\x7f", " leading", "trailing ", "trailing.", "~tilde",
	"semi;colon:comma,equals=", "percent%20%2F", "plus+and&hash#query?", "star*pipe|less<more>", "-dash", "...", "$(x)`y`",
	"é composed", "e\u0301 decomposed", "日本語", "🙂", "\u202ertl", "\xff\xfe invalid", "half \xe2\x82", "‛quote rune",
	"‛／", "／slash", "␀␁nul", "．", "．．", "a.rclonelink.txt", "CON", "nul.txt", "[brackets]{braces}", ".hidden", "name‛FF",
}

func (s *suite) oddNames() {
	var want []string
	for i, name := range oddNames {
		if s.NoControl && strings.ContainsRune(name, 1) {
			s.Logf("%q is not expected to be listed here", name)
			continue
		}
		for _, path := range []string{name, "d/" + name + "/f"} {
			if strings.HasSuffix(path, "/f") && i%3 != 0 {
				continue // directories of that name: a third will do
			} else if strings.HasSuffix(path, "/f") {
				path = "d" + path[1:]
			}
			content := fmt.Sprintf("content of %q", path)
			err := s.Send(s.ctx, path, Text(content, day))
			if errors.Is(err, remote.ErrInvalidName) {
				s.Logf("%q is not possible here", path)
				continue
			}
			s.ok(err)
			s.holds(path, content, day)
			want = append(want, path)
		}
	}
	s.lists(want...)
	for _, path := range want {
		s.ok(errors.Join(s.Delete(s.ctx, []string{path})...))
	}
	s.lists()
}

func (s *suite) longNames() {
	for _, path := range []string{
		strings.Repeat("n", 200), strings.Repeat("日", 70), strings.Repeat("n", 255),
		strings.Repeat(strings.Repeat("d", 99)+"/", 8) + "f",
	} {
		err := s.Send(s.ctx, path, Text("x", day))
		if errors.Is(err, remote.ErrInvalidName) {
			s.Logf("%d bytes are too long here", len(path))
			continue
		}
		s.ok(err)
		s.holds(path, "x", day)
	}
}

func (s *suite) listComplete() {
	var want []string
	for i := range 60 {
		path := fmt.Sprintf("d%d/e%d/f%d", i%4, i%3, i)
		s.send(path, strings.Repeat("x", i), day.Add(time.Duration(i)*time.Hour))
		want = append(want, path)
	}
	s.lists(want...)
	all := s.list()
	for i, path := range want {
		r := all[path]
		mtime := day.Add(time.Duration(i) * time.Hour)
		if r.Entry.Mtime == 0 {
			mtime = time.Unix(0, 0)
		}
		s.matches(r, path, snapshot.File, int64(i), mtime)
		if s.caps.Precision == 0 && r.Uploaded.IsZero() {
			s.Errorf("%q is listed without mtime and without the time of its upload", path)
		}
		dir, _ := snapshot.Split(path)
		if _, ok := all[dir]; !ok && !s.caps.BucketBased {
			s.Errorf("directory %q is not listed", dir)
		}
	}
}

func (s *suite) listStops() {
	s.send("a", "1", day)
	s.send("b", "2", day)
	stop := errors.New("stop")
	n := 0
	err := s.List(s.ctx, func(remote.Object) error { n++; return stop })
	s.is(err, stop)
	if n != 1 {
		s.Errorf("fn was called %d times, after it had returned an error", n)
	}
}

func (s *suite) probe() {
	s.ok(s.Probe(s.ctx))
	s.lists()
}

// concurrent covers "all methods may be called concurrently".
func (s *suite) concurrent() {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			dir := fmt.Sprintf("d%d", i)
			for j := range 5 {
				path := fmt.Sprintf("%s/%d/f", dir, j)
				if err := s.Send(s.ctx, path, Text(path, day)); err != nil {
					s.Errorf("send: %v", err)
				}
			}
			for _, err := range s.Delete(s.ctx, []string{dir + "/0/f"}) {
				if err != nil {
					s.Errorf("delete: %v", err)
				}
			}
			if s.caps.Move {
				if err := s.Move(s.ctx, dir+"/1/f", dir+"/0/g", false, nil); err != nil {
					s.Errorf("move: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		path := fmt.Sprintf("d%d/3/f", i)
		s.holds(path, path, day)
	}
	files := 0
	for _, r := range s.list() {
		if r.Entry.Kind != snapshot.Dir {
			files++
		}
	}
	if want := 8 * 4; files != want {
		s.Errorf("%d files are left, want %d", files, want)
	}
}

// cancelled covers the other methods with a context that is done already.
func (s *suite) cancelled() {
	s.send("a", "1", day)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	e := snapshot.Entry{Kind: snapshot.File, Size: 1, Mtime: day.UnixNano()}
	for name, call := range map[string]func() error{
		"send":   func() error { return s.Send(ctx, "b", Text("2", day)) },
		"list":   func() error { return s.List(ctx, func(remote.Object) error { return nil }) },
		"delete": func() error { return errors.Join(s.Delete(ctx, []string{"a"})...) },
		"stat":   func() error { _, err := s.Stat(ctx, "a"); return err },
		"hash":   func() error { _, _, err := s.Hash(ctx, "a", snapshot.XXH3); return err },
		"touch": func() error {
			if !s.caps.SetModTime {
				return ctx.Err()
			}
			return s.Touch(ctx, "a", e, nil)
		},
	} {
		began := time.Now()
		if err := call(); err != nil && !errors.Is(err, context.Canceled) {
			s.Errorf("%s: got %v, want the context's error", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			s.Errorf("%s took %v", name, took)
		}
	}
}
