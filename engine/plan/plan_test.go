package plan

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/snapsync/snapsync/snapshot"
)

var update = flag.Bool("update", false, "rewrite the plans in testdata/plans")

// planCases are the golden plans: what the base knows, what the source holds, what the remote can do,
// and the plan. See parseEntries for the form of the trees.
const planCases = "../../testdata/plans/*.txtar"

// TestPlans compares the plan of every case with what is written there, and lets a strict remote
// perform it.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob(planCases)
	if err != nil || len(files) == 0 {
		t.Fatalf("no plans: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			testPlan(t, file, archive)
		})
	}
}

func testPlan(t *testing.T, file string, archive *txtar.Archive) {
	if len(bytes.TrimSpace(archive.Comment)) == 0 {
		t.Error("no comment says what this case is about")
	}
	s, err := parseScenario(archive)
	if err != nil {
		t.Fatal(err)
	}
	in := input(s.base, s.head, s.options)
	plan := Make(in)
	got := formatPlan(plan)
	for _, c := range Conflicts(&in) {
		path := in.Changes[c.Change].Path
		got += fmt.Sprintf("refuse %s for %s\n", quotePath(path), quotePath(c.with))
	}
	want := section(archive, "plan")
	switch {
	case got == want:
	case *update:
		for i := range archive.Files {
			if archive.Files[i].Name == "plan" {
				archive.Files[i].Data = []byte(got)
			}
		}
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("plan (-want +got):\n%s", cmp.Diff(want, got))
	}
	if strings.Contains(got, "held") {
		return // what a person has to look at cannot be performed as it is
	}
	if _, err := s.reach(cloneEntries(s.base), newRemote(s.caps, s.was), -1); err != nil {
		t.Error(err)
	}
}

// parseScenario reads a case. The base holds what the hashes of its entries say, or where they are
// not known what the paths say.
func parseScenario(archive *txtar.Archive) (*scenario, error) {
	s := &scenario{was: make(entries)}
	var err error
	if s.base, err = parseEntries(section(archive, "base")); err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if s.head, err = parseEntries(section(archive, "head")); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	if s.options, err = parseOptions(section(archive, "caps")); err != nil {
		return nil, fmt.Errorf("caps: %w", err)
	}
	s.base.addParents()
	s.head.addParents()
	for path, e := range s.base {
		was := *e
		if was.HashType = snapshot.XXH3; e.HashType == snapshot.NoHash {
			was.Hash = hashWord(path)
		}
		s.was[path] = &was
	}
	for path, e := range s.head {
		if e.Flags&^snapshot.Racy != 0 {
			return nil, fmt.Errorf("head: %s: only the base has such flags", path)
		}
	}
	return s, nil
}

// addParents adds the directories that were not worth writing down. They have no inode.
func (t entries) addParents() {
	for _, path := range t.paths() {
		t.put(path, t[path])
	}
}

func section(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}
