package loop_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/loop"
	"github.com/snapsync/snapsync/engine/remote"
	"github.com/snapsync/snapsync/journal"
)

// Of the paths that failed only those are tried again that a person names, or that are beneath.
func TestLoopRetryPaths(t *testing.T) {
	var mu sync.Mutex
	tried := map[string]int{}
	rig.Stays(t, rig.FullCaps, func(r *rig.Rig) {
		r.Cfg.Retries = 1
		r.Remote.Fail = func(op enginetest.Op) *enginetest.Fault {
			if op.Name != "send" || !strings.Contains(op.Path, "bad") {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			tried[op.Path]++
			return &enginetest.Fault{Err: remote.ErrPermission}
		}
	}, func(t *testing.T, s *rig.Stay) {
		for _, path := range []string{"bad", "d/bad", "d/e/bad", "dbad"} {
			s.Write(path, path)
		}
		s.Seen()
		s.Pass(time.Second)
		rig.Must(t, s.RetryPaths([]string{"d", "good"}))
		s.Pass(time.Second)
		mu.Lock()
		defer mu.Unlock()
		for path, want := range map[string]int{"bad": 1, "d/bad": 2, "d/e/bad": 2, "dbad": 1} {
			if tried[path] != want {
				t.Errorf("%s was tried %d times, want %d", path, tried[path], want)
			}
		}
	})
}

func TestFailedAt(t *testing.T) {
	var rows []journal.FailureRow
	for _, path := range []string{"a", "a/b", "ab"} {
		rows = append(rows, journal.FailureRow{Failure: journal.Failure{Path: path}})
	}
	for _, c := range []struct {
		paths string
		want  int
	}{{"a", 2}, {"ab a/b", 2}, {"a/b/c", 0}, {"a a", 2}} {
		if got := loop.FailedAt(rows, strings.Fields(c.paths)); len(got) != c.want {
			t.Errorf("%s: got %v", c.paths, got)
		}
	}
	if got := loop.FailedAt(rows, []string{""}); len(got) != 3 {
		t.Errorf("the root: got %v", got)
	}
}
