package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/engine"
	"github.com/snapsync/snapsync/engine/enginetest"
	"github.com/snapsync/snapsync/engine/enginetest/rig"
	"github.com/snapsync/snapsync/engine/remote"
)

// oddNames are few, and mostly one with each other to some remote.
var oddNames = []string{"Notes", "notes", "NOTES", "x", "X", "caf\u00e9", "cafe\u0301", "a", "a."}

// Many cycles with random edits, failing and lost steps, and --complete-sync switched on and off, against remotes that take
// names for one without a word. Whatever happened, a quiet run with --complete-sync then ends with every file that it does not
// report on the remote, with its content, and nothing else.
func TestSilentFoldOverManyCycles(t *testing.T) {
	for name, fold := range folds {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				foldedCycles(t, fold.key, seed)
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

func foldedCycles(t *testing.T, key func(string) string, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := silent(t, key)
	r.Remote.Lenient = true // what is in the way is an error, as on a disk
	r.Cfg.Retries = 1
	for range 8 {
		for range 1 + rng.IntN(3) {
			editOdd(r, rng)
		}
		r.Cfg.CompleteSync = rng.IntN(2) == 0
		if rng.IntN(2) == 0 {
			fault := enginetest.Fault{When: []enginetest.When{enginetest.Before, enginetest.After}[rng.IntN(2)], Err: remote.ErrOffline}
			r.Remote.FailNth(1+rng.IntN(8), fault)
		}
		_, _ = r.Try()
		r.Remote.Fail = nil
	}
	r.Cfg.CompleteSync, r.Cfg.Approve = true, true
	r.Run()
	sum := r.Run() // what only the first one's result lets plan
	wantFolded(t, r, sum.Failures, key)
}

func editOdd(r *rig.Rig, rng *rand.Rand) {
	name := func() string { return oddNames[rng.IntN(len(oddNames))] }
	path := name()
	if rng.IntN(2) == 0 {
		path += "/" + name()
	}
	full := filepath.Join(r.Source, path)
	switch rng.IntN(4) {
	case 0:
		_ = os.RemoveAll(full)
	case 1:
		_ = os.RemoveAll(filepath.Join(r.Source, name(), name()))
		_ = os.Rename(filepath.Join(r.Source, name()), full)
	default:
		if up := filepath.Dir(full); up != r.Source {
			if info, err := os.Stat(up); err == nil && !info.IsDir() {
				_ = os.Remove(up)
			}
		}
		if info, err := os.Stat(full); err == nil && info.IsDir() {
			_ = os.RemoveAll(full)
		}
		r.Write(path, fmt.Sprintf("content %d", rng.IntN(1_000_000)))
	}
}

// wantFolded compares the source, less the failed paths, with the remote.
func wantFolded(t *testing.T, r *rig.Rig, failures []engine.Failure, key func(string) string) {
	t.Helper()
	failed := make(map[string]bool)
	for _, f := range failures {
		failed[f.Path] = true
	}
	want, got := make(map[string]string), make(map[string]string)
	rig.Must(t, filepath.WalkDir(r.Source, func(full string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(r.Source, full)
		if err != nil || d.IsDir() || failed[rel] {
			return err
		}
		content, err := os.ReadFile(full)
		want[key(rel)] = string(content)
		return err
	}))
	for _, n := range r.Remote.Tree() {
		if n.Content != "" {
			got[key(n.Path)] = n.Content
		}
	}
	if !maps.Equal(want, got) {
		t.Errorf("want %q\ngot  %q\nfailed %v\n%s", want, got, slices.Sorted(maps.Keys(failed)), strings.TrimSpace(r.Remote.Log()))
	}
}
