package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/hint"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// Has fails the test unless the remote has exactly these files, whatever their content.
func (s *Stay) Has(want ...string) {
	s.T.Helper()
	var got []string
	for _, n := range s.Remote.Tree() {
		if n.Kind != snapshot.Dir {
			got = append(got, n.Path)
		}
	}
	if a, b := fmt.Sprint(Sorted(got)), fmt.Sprint(Sorted(want)); a != b {
		s.T.Fatalf("remote has %v, want %v\n%+v\n%s", a, b, s.Status(), s.Remote.Log())
	}
}

// Content is what the remote has at path.
func (s *Stay) Content(path string) (content string, there bool) {
	for _, n := range s.Remote.Tree() {
		if n.Path == path {
			return n.Content, true
		}
	}
	return "", false
}

// Stay is a rig whose mapping is kept true by a Loop, in a bubble whose time passes only when everybody
// waits. It watches perfectly: seen hints at exactly what differs since it was called last.
type Stay struct {
	*Rig
	*loop.Loop
	Journal *journal.Journal
	Tree    map[string]string
}

// Stays runs do in a bubble while a Loop runs, and then ends it.
func Stays(t *testing.T, caps remote.Caps, prepare func(*Rig), do func(*testing.T, *Stay)) {
	r := New(t, caps)
	if prepare != nil {
		prepare(r)
	}
	StaysOn(t, r, do)
}

// StaysOn is Stays for a rig that has a past.
func StaysOn(t *testing.T, r *Rig, do func(*testing.T, *Stay)) {
	synctest.Test(t, func(t *testing.T) {
		r.T = t
		j, err := journal.Open(r.DB, journal.Mapping{Source: r.Source, Remote: "memory"})
		Must(t, err)
		cfg := r.Cfg
		cfg.Scan.Root, cfg.Journal, cfg.Connect, cfg.Observe = r.Source, j, r.Connect, r.Events
		l, err := loop.New(loop.Config{
			Engine: cfg, Settle: 500 * time.Millisecond, SettleMax: 30 * time.Second, DeleteDelay: 5 * time.Second,
			Pulse: r.Pulse,
		})
		Must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		s := &Stay{Rig: r, Loop: l, Journal: j}
		s.Tree = s.Look()
		s.Pass(time.Second)
		do(t, s)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the loop ended with %v", err)
		}
		if state := l.Status().State; state != loop.Stopped {
			t.Errorf("the loop has ended and is %s", state)
		}
		Must(t, j.Close())
	})
}

// Pass lets time pass, and waits until nothing more happens by itself.
func (s *Stay) Pass(d time.Duration) {
	s.T.Helper()
	time.Sleep(d)
	synctest.Wait()
}

// Look returns what identifies each path of the source now.
func (s *Stay) Look() map[string]string {
	tree := make(map[string]string)
	Must(s.T, filepath.WalkDir(s.Source, func(full string, d fs.DirEntry, err error) error {
		if err != nil || full == s.Source {
			return err
		}
		path, _ := filepath.Rel(s.Source, full)
		e, err := snapshot.Stat(snapshot.Config{Root: s.Source}, path)
		if err != nil {
			return err
		}
		tree[path] = fmt.Sprint(e.Kind, e.Ino)
		if !d.IsDir() {
			tree[path] += fmt.Sprint(" ", e.Size, e.Mtime, e.Ctime)
		}
		return nil
	}))
	return tree
}

// Seen gives the hints that a perfect watcher gives.
func (s *Stay) Seen() {
	now := s.Look()
	for path := range s.Tree {
		if _, there := now[path]; !there {
			s.Hint(hint.Hint{Path: path, Gone: true})
		}
	}
	for path, what := range now {
		if s.Tree[path] != what {
			s.Hint(hint.Hint{Path: path, Deep: strings.HasPrefix(what, snapshot.Dir.String())})
		}
	}
	s.Tree = now
}

// Is fails the test unless the Loop is in this state.
func (s *Stay) Is(want loop.State) {
	s.T.Helper()
	if got := s.Status(); got.State != want {
		s.T.Fatalf("want %s, got %+v\n%s", want, got, s.Remote.Log())
	}
}

// Equal fails the test unless remote and source are the same.
func (s *Stay) Equal() {
	s.T.Helper()
	if got, want := strings.Join(s.RemoteFiles(), "\n"), strings.Join(s.files(), "\n"); got != want {
		s.T.Fatalf("remote:\n%s\nsource:\n%s\n%+v\n%s", got, want, s.Status(), s.Remote.Log())
	}
}

func (s *Stay) Model(rng *rand.Rand) {
	for range 25 {
		for range 1 + rng.IntN(6) {
			s.Edit(rng, 1+rng.IntN(3))
			s.Seen()
			s.Pass(time.Duration(rng.IntN(2000)) * time.Millisecond)
		}
		switch rng.IntN(4) {
		case 0:
			s.Remote.SetOffline(true)
		case 1:
			s.Remote.FailNth(1+rng.IntN(4), enginetest.Fault{Err: remote.ErrOffline, When: enginetest.When(rng.IntN(2))})
		default:
			s.Remote.SetOffline(false)
			if rng.IntN(2) == 0 {
				s.Pass(10 * time.Minute)
				s.Equal()
			}
		}
	}
	s.Remote.SetOffline(false)
	s.Pass(10 * time.Minute)
	s.Equal()
	s.Is(loop.Idle)
	s.Sound()
}

// Sound fails the test unless the journal is in order.
func (s *Stay) Sound() {
	s.T.Helper()
	sound(s.T, s.Journal)
}
